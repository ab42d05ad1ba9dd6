// What a fleet told, as Tenure.tla can follow it: the events of one lease and of the workers that held it.
import { farAbove } from "../trace-events.mjs";

/** Above this a behaviour has too many orders for a short run of TLC. */
const limits = { workers: 4, begins: 8, steps: 60 };

/** The leases that are worth following and small enough, the busiest first. */
function leasesIn(events) {
  const leases = new Map();
  for (const { type, leaseKey, epoch, workerId } of events) {
    if (type !== "tenure-began") continue;
    const lease = leases.get(leaseKey) ?? { leaseKey, epochs: [], workers: new Set() };
    lease.epochs.push(epoch);
    lease.workers.add(workerId);
    leases.set(leaseKey, lease);
  }
  return [...leases.values()]
    .filter(({ epochs, workers }) => {
      const isOneRow = Math.max(...epochs) - Math.min(...epochs) < farAbove;
      return (
        isOneRow && epochs.length > 1 && epochs.length <= limits.begins && workers.size <= limits.workers
      );
    })
    .sort((a, b) => b.epochs.length - a.epochs.length || (a.leaseKey < b.leaseKey ? -1 : 1))
    .map(({ leaseKey }) => leaseKey);
}

/** @returns {{ lease: string, steps: object[] }[]} the busiest leases, first */
export function tracesIn(events, { most }) {
  return leasesIn(events)
    .slice(0, most)
    .map((lease) => ({ lease, ...project(events, lease) }));
}

/**
 * One lease's trace. Epochs count from 2, the row's own from 1; workers are w1, w2, … in the order of their creation.
 * @returns {{ workers: string[], fenced: string[], forced: string[], steps: { is: string, of: string, epoch: number }[] }}
 */
function project(events, leaseKey) {
  const holders = new Set();
  let first = Infinity;
  for (const event of events) {
    if (event.leaseKey !== leaseKey) continue;
    if (event.type === "tenure-began") {
      holders.add(event.workerId);
      first = Math.min(first, event.epoch);
    } else if (event.type === "handed-off") holders.add(event.target);
  }
  const names = new Map();
  const told = {
    steps: [],
    known: new Set(),
    fenced: new Set(),
    forced: new Set(),
    over: new Set(),
    drained: new Set(),
    lost: new Map(),
  };
  const processes = new Map();
  for (const event of events) {
    if (event.type === "worker-created" && holders.has(event.workerId)) {
      names.set(event.workerId, `w${names.size + 1}`);
      const workers = processes.get(event.who) ?? [];
      processes.set(event.who, [...workers, names.get(event.workerId)]);
    }
    if (event.type === "died") for (const of of processes.get(event.who) ?? []) end(told, of, "died");
    else step(told, event, { leaseKey, names, base: first - 2 });
  }
  const { steps, fenced, forced } = told;
  const last = steps.findLastIndex(({ is }) => is === "began" || is === "landed");
  return {
    workers: [...names.values()],
    fenced: [...fenced],
    forced: [...forced],
    steps: steps.slice(0, Math.min(limits.steps, last + 1)),
  };
}

function step(told, event, { leaseKey, names, base }) {
  const of = names.get(event.workerId);
  const victim = names.get(event.victim);
  if (victim !== undefined && (event.type === "fenced" || event.type === "fence-seen")) {
    if (!told.known.has(victim)) told.steps.push({ is: "fenced", of: victim, epoch: 0 });
    told.known.add(victim);
    if (event.kind !== "left") told.fenced.add(victim);
    if (event.type === "fence-seen" && (event.kind ?? "forced") === "forced") told.forced.add(victim);
  }
  if (of === undefined) return;
  const add = (is, epoch = base) => told.steps.push({ is, of, epoch: epoch - base });
  switch (event.type) {
    case "worker-created":
      add("created");
      return;
    case "draining":
      add("draining");
      return;
    case "leave-sent":
      end(told, of, "left");
      return;
    case "worker-ended":
      end(told, of, "died");
      return;
    default:
  }
  if (event.leaseKey !== leaseKey) return;
  switch (event.type) {
    case "tenure-began":
      add("began", event.epoch);
      return;
    case "tenure-raised":
      add("began", event.to);
      return;
    case "tenure-ended": {
      const isLost = ["lease-lost", "fenced", "store-lost", "foreign"].includes(event.reason);
      if (isLost) told.lost.set(of, event.epoch);
      add(isLost ? "lost" : "given", event.epoch);
      return;
    }
    case "handed-off":
      if (told.lost.get(of) === event.epoch) add("late", event.epoch);
      add("landed", event.epoch);
      return;
    case "released":
      add("landed", event.epoch);
      return;
    default:
  }
}

function end(told, of, is) {
  if (told.over.has(of)) return;
  told.over.add(of);
  told.steps.push({ is, of, epoch: 0 });
}

/** Traces that are none: somebody begins beside a tenure that runs, and somebody begins at an epoch that was used. */
export function corruptionsOf(trace) {
  const { steps, workers, fenced } = trace;
  const begins = [...steps.keys()].filter((at) => steps[at].is === "began");
  const { epoch } = steps[begins[0]];
  const twice = steps.map((one, at) => (at === begins[1] ? { ...one, epoch } : one));
  const corruptions = [{ what: "an epoch begun twice", trace: { ...trace, steps: twice } }];
  for (const at of begins) {
    const { of } = steps[at];
    // Of somebody who is fenced later it could be so: nothing in the trace says when its belief was over.
    if (fenced.includes(of)) continue;
    const before = steps.slice(0, at + 1);
    const lives = (worker) =>
      before.some((one) => one.is === "created" && one.of === worker) &&
      before.every((one) => one.of !== worker || (one.is !== "left" && one.is !== "died"));
    const other = workers.find((worker) => worker !== of && lives(worker));
    if (other === undefined) continue;
    const beside = { is: "began", of: other, epoch: steps[at].epoch + 1 };
    corruptions.push({ what: "a begin beside a tenure", trace: { ...trace, steps: [...before, beside] } });
    break;
  }
  return corruptions;
}

export function runOf(traces) {
  const all = traces.flatMap(({ steps }) => steps);
  return {
    spec: "Tenure",
    traces: traces.map(({ steps, fenced, forced }) => ({
      steps,
      fenced: new Set(fenced),
      forced: new Set(forced),
    })),
    constants: {
      Workers: new Set(traces.flatMap(({ workers }) => workers)),
      None: Symbol("none"),
      MaxEpoch: Math.max(...all.map(({ epoch }) => epoch)) + 2,
      Without: new Set(),
      // Enough for a take or a raise in a fleet that was fenced; each more makes TLC look at many times as many orders.
      Unseen: 4,
    },
    invariants: ["S1", "S2", "S3"],
  };
}
