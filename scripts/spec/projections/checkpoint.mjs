// What a fleet told of one lease's checkpoints, as Checkpoint.tla can follow it.
import { eventsByLease, Names } from "../trace-events.mjs";

const limits = { workers: 4, steps: 70 };
const lowest = ["TRIM_HORIZON", "AT_TIMESTAMP", "LATEST"];
const highest = "SHARD_END";

/**
 * @param {object[]} events
 * @param {{ most: number, isExplicit: boolean }} of `isExplicit`: a batch may be checkpointed while it is worked
 * @returns {{ lease: string, steps: object[] }[]} the leases that tell most, first
 */
export function tracesIn(events, { most, isExplicit }) {
  return [...eventsByLease(events)]
    .map(([lease, of]) => project(lease, of, isExplicit))
    .filter(({ steps, names }) => count(steps, "began") > 1 && names.length <= limits.workers)
    .sort((a, b) => worth(b) - worth(a) || (a.lease < b.lease ? -1 : 1))
    .slice(0, most);
}

/** Writes of unknown outcome are rare and tell most; then changes of owner. */
const worth = ({ steps }) =>
  10 * count(steps, "raised") + 10 * count(steps, "unknown") + count(steps, "began");
const count = (steps, what) => steps.filter(({ is }) => is === what).length;

function project(lease, events, isExplicit) {
  const names = new Names();
  const marked = events.findIndex(({ type }) => type === "lease-marked");
  const lived = marked < 0 ? events : events.slice(0, marked);
  const first = lived.find(({ type }) => type === "tenure-began");
  if (first === undefined) return { lease, steps: [], names: [] };
  const rank = ranksOf(lived);
  const steps = [];
  /** Where the batch ends that is worked, by worker. */
  const underWay = new Map();
  for (const event of lived) {
    const is = stepOf(event, isExplicit);
    if (event.type === "batch-started") underWay.set(event.workerId, event.last);
    if (is === undefined) continue;
    const place =
      is === "finished"
        ? event.type === "partition-ended"
          ? highest
          : underWay.get(event.workerId)
        : event.checkpoint;
    if (is === "finished" && place === undefined) continue;
    steps.push({
      is,
      of: names.of(event.workerId),
      epoch: event.epoch - first.epoch + 2,
      to: place === undefined ? 0 : rank(place),
    });
    if (event.target !== undefined) names.of(event.target);
  }
  const cut = steps.slice(0, limits.steps);
  const last = cut.findLastIndex(({ is }) => ["began", "checkpointed", "given"].includes(is));
  return { lease, steps: cut.slice(0, last + 1), names: names.all, cp: rank(first.checkpoint), isExplicit };
}

function stepOf({ type, reason }, isExplicit) {
  switch (type) {
    case "tenure-began":
      return "began";
    case "batch-started":
      return isExplicit ? "finished" : undefined;
    case "batch-finished":
    case "partition-ended":
      return "finished";
    case "checkpointed":
      return "checkpointed";
    case "checkpoint-refused":
      if (reason === "ended") return undefined;
      return reason === "unknown" ? "unknown" : "refused";
    case "tenure-raised":
      return "raised";
    case "tenure-ended":
      return "ended";
    case "handed-off":
    case "released":
      return "given";
    default:
      return undefined;
  }
}

/** Places in their order, as numbers from 0: all that was told of. */
function ranksOf(events) {
  const places = new Set([lowest[0]]);
  for (const { type, checkpoint, last } of events) {
    if (checkpoint !== undefined && type !== "drained") places.add(checkpoint);
    if (last !== undefined) places.add(last);
    if (type === "partition-ended") places.add(highest);
  }
  const order = [...places].sort((a, b) => compare(keyOf(a), keyOf(b)));
  return (place) => order.indexOf(place);
}

/** A position as it is told: a sentinel, or a number with one of a record within it. */
function keyOf(place) {
  if (lowest.includes(place)) return [-1n, 0n];
  if (place === highest) return [10n ** 200n, 0n];
  const [number, within = "0"] = place.split(/[^\d]+/);
  return [BigInt(number), BigInt(within)];
}

const compare = ([a, b], [c, d]) => (a === c ? (b < d ? -1 : b > d ? 1 : 0) : a < c ? -1 : 1);

/** Traces that are none. */
export function corruptionsOf({ steps, isExplicit, ...rest }) {
  const corruptions = [];
  const add = (what, wrong) => corruptions.push({ what, trace: { ...rest, steps: wrong } });
  const written = [...steps.keys()].filter((at) => steps[at].is === "checkpointed");
  const back = written.findIndex((at, i) => {
    const next = steps[written[i + 1]];
    return next?.of === steps[at].of && next.epoch === steps[at].epoch && next.to > steps[at].to;
  });
  if (back >= 0) {
    const [a, b] = [written[back], written[back + 1]];
    const swapped = steps.map((one, at) => (at === a ? steps[b] : at === b ? steps[a] : one));
    add("a checkpoint that goes back", swapped.slice(0, b + 1));
  }
  const behind = steps.findIndex(
    ({ is, to }, at) => is === "began" && written.some((w) => w < at && steps[w].to === to && to > 0),
  );
  if (behind >= 0) {
    const early = steps.map((one, at) => (at === behind ? { ...one, to: one.to - 1 } : one));
    add("a successor that begins behind", early.slice(0, behind + 1));
  }
  const deposed = written.find(
    (at) =>
      steps.some(
        ({ is, of, to }, i) => i < at && is === "began" && of !== steps[at].of && to < steps[at].to,
      ) &&
      steps.some(
        (one, i) => i < at && one.is === "began" && one.of === steps[at].of && one.to < steps[at].to,
      ),
  );
  if (deposed !== undefined) {
    const { of, to } = steps[deposed];
    const before = steps.findLast((one, i) => i < deposed && one.is === "began" && one.of !== of);
    const begun = steps.findLastIndex((one, i) => i < deposed && one.is === "began" && one.of === of);
    if (before !== undefined && steps.indexOf(before) < begun) {
      const late = { is: "checkpointed", of: before.of, epoch: before.epoch, to };
      add("a checkpoint of a deposed owner", [...steps.slice(0, deposed + 1), late]);
    }
  }
  if (!isExplicit && written.length > 0) {
    const at = written[0];
    const idle = steps.slice(0, at + 1).filter(({ is }) => is !== "finished");
    add("a checkpoint before the work", idle);
  }
  return corruptions;
}

export function runOf(traces) {
  const all = traces.flatMap(({ steps }) => steps);
  const names = new Set(traces.flatMap((trace) => trace.names));
  return {
    spec: "Checkpoint",
    traces: traces.map(({ steps, cp }) => ({ steps, cp, epoch: 1 })),
    constants: {
      Workers: names,
      None: Symbol("none"),
      MaxEpoch: Math.max(...all.map(({ epoch }) => epoch)) + 2,
      Records: Math.max(...all.map(({ to }) => to)),
      MaxWrites: all.length,
      MaxRewinds: 0,
      Without: new Set(),
      Unseen: 4,
    },
    invariants: ["S3", "S4NeverBack", "S4StartsThere", "S12Records"],
  };
}
