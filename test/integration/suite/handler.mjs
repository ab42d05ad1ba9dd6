// The processor of the suite's worker processes: logs what it is handed, and whether a checkpoint got through. Its log is
// what the cases look at.
import { setTimeout as sleep } from "node:timers/promises";

/** What a batch takes: long enough for a process to be frozen in the middle of one. */
const workMs = Number(process.env.SUITE_WORK_MS ?? "0");

export default ({ logger }) => ({
  initialize(lease, start) {
    const { leaseKey, fencingToken } = lease;
    logger.info({ leaseKey, token: fencingToken, from: start.checkpoint.sequenceNumber }, "begin");
  },
  async process(batch, lease) {
    const { leaseKey, fencingToken: token } = lease;
    const texts = batch.records.map(({ data }) => Buffer.from(data).toString());
    logger.info({ leaseKey, token, texts, turn: batch.turn }, "working");
    await sleep(workMs);
    // No look at lease.signal: whether a late checkpoint is refused is what the suite wants to know.
    try {
      await batch.checkpoint();
    } catch (error) {
      logger.warn({ leaseKey, token, texts, code: error.code }, "checkpoint refused");
      throw error;
    }
    logger.info({ leaseKey, token, texts, turn: batch.turn }, "done");
  },
  async partitionEnded(end, lease) {
    await end.checkpoint();
    logger.info({ leaseKey: lease.leaseKey, children: end.children }, "ended");
  },
});
