// One size and one case of `plan()` by itself, in a process of its own. Prints one JSON object.
//
//   node --expose-gc [--max-semi-space-size=…] bench/planner/plans.mjs LEASES WORKERS CASE time|memory
import { resolveProtocol } from "../../dist/model/config.js";
import { emptyPlanMemory, plan } from "../../dist/model/plan.js";
import { planLeases, planWorker, workerIdOf } from "./rows.mjs";
import { begin, collect, typical } from "./stopwatch.mjs";

const config = resolveProtocol();
const times = 21;
/** Enough for the settle time and for five rounds outside the dead band. */
const settlingRounds = 12;

const [leases, workers] = process.argv.slice(2, 4).map(Number);
const [kind, what] = process.argv.slice(4);

/** The fleet as every planner knows it that has run for a while, and as it is once the case's event has settled. */
function scene() {
  const before = Array.from({ length: workers }, (_, i) => planWorker(workerIdOf(i)));
  const rows = planLeases(leases, workers);
  const dead = workerIdOf(workers - 1);
  if (kind === "join") {
    return {
      before,
      rows,
      after: [...before, planWorker(workerIdOf(workers), { joining: true })],
      rowsAfter: rows,
    };
  }
  if (kind === "death") {
    const after = before.map((worker) => (worker.workerId === dead ? { ...worker, live: false } : worker));
    return {
      before,
      rows,
      after,
      rowsAfter: rows.map((row) => (row.owner === dead ? { ...row, free: true } : row)),
    };
  }
  return { before, rows, after: before, rowsAfter: rows };
}

/** The snapshot and the memory with which the planner computes the plan that is measured. */
function situation() {
  const { before, rows, after, rowsAfter } = scene();
  let memory = emptyPlanMemory;
  let now = 0;
  const round = (workersNow, leasesNow) => {
    const snapshot = { nowMs: now, config, workers: workersNow, leases: leasesNow };
    const made = plan(snapshot, memory);
    return { snapshot, made };
  };
  for (let i = 0; i < settlingRounds; i++, now += config.pollIntervalMs)
    memory = round(before, rows).made.memory;
  // The first round in which something may be moved: the settle time after the event is over.
  const settled = now + config.settleMs;
  for (;;) {
    const { snapshot, made } = round(after, rowsAfter);
    if (now >= settled) return { snapshot, memory, moves: made.moves.length };
    memory = made.memory;
    now += config.pollIntervalMs;
  }
}

const { snapshot, memory, moves } = situation();
const inOrder = [...snapshot.leases].sort((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1));
/** What counts rounds is remembered, and nothing of the leases. */
const forgetful = { ...memory, ledger: undefined };
/** Other objects of the same content, as after a scan. */
const anew = (leases) => ({ ...snapshot, leases: leases.map((lease) => ({ ...lease })) });
/** The same as a planner's list of them: it stands in the order of the keys, and says so. */
const listed = () => ({ ...anew(inOrder), inOrder: true });

if (what === "time") {
  const [fresh, mixed, kept] = [[], [], []];
  // The last round's rows, as in a round in which no row has changed.
  const known = plan(snapshot, memory).memory;
  for (let i = 0; i < times; i++) {
    // The order in which a planner keeps its rows, and the one in which a table is read.
    for (const [see, spent] of [
      [listed, fresh],
      [() => anew(snapshot.leases), mixed],
    ]) {
      const seen = see();
      await collect();
      const stop = begin();
      plan(seen, forgetful);
      spent.push(stop());
    }
    const stop = begin();
    plan(snapshot, { ...memory, ledger: known.ledger });
    kept.push(stop());
  }
  const { cpuMs, wallMs } = typical(fresh);
  console.log(
    JSON.stringify({
      planMs: cpuMs,
      planWallMs: wallMs,
      unorderedPlanMs: typical(mixed).cpuMs,
      unchangedPlanMs: typical(kept).cpuMs,
      moves,
    }),
  );
} else {
  plan(listed(), forgetful);
  const seen = listed();
  const used = () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  globalThis.gc();
  const before = used();
  const made = plan(seen, forgetful);
  // Nothing was collected meanwhile: the young generation has room for all of it.
  const after = used();
  globalThis.gc();
  const kept = used();
  if (made.moves.length !== moves) throw new Error("the same rows gave another plan");
  console.log(JSON.stringify({ heapBytes: after - before, keptBytes: Math.max(0, kept - before) }));
}
