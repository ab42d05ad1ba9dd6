// The processor of the suite's worker processes: logs what it is handed, and whether a checkpoint got through. Its log is
// what the cases look at.
import { once } from "node:events";

export default (context) => {
  const { logger } = context;
  return {
    initialize(lease, start) {
      const { leaseKey, fencingToken: token } = lease;
      logger.info({ leaseKey, token, from: start.checkpoint.sequenceNumber }, "begin");
    },
    async process(batch, lease) {
      const texts = batch.records.map(({ data }) => Buffer.from(data).toString());
      const { leaseKey, fencingToken: token } = lease;
      const about = { leaseKey, token, texts, turn: batch.turn, to: batch.records.at(-1)?.sequenceNumber };
      logger.info(about, "working");
      // `hold:w2` is kept by the worker w2 until its lease is over. No look at lease.assertHeld() then: whether the late
      // checkpoint is refused is what the suite wants to know.
      const isHeld = texts.some((text) => context.workerId.startsWith(`${text.replace("hold:", "")}-`));
      if (isHeld && !lease.signal.aborted) await once(lease.signal, "abort");
      try {
        await batch.checkpoint();
      } catch (error) {
        logger.warn({ ...about, code: error.code }, "checkpoint refused");
        throw error;
      }
      logger.info(about, "done");
    },
    async partitionEnded(end, lease) {
      await end.checkpoint();
      logger.info({ leaseKey: lease.leaseKey, children: end.children }, "ended");
    },
  };
};
