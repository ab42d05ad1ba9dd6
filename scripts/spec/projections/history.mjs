// What a fleet told of one lease's tenures and of what was archived of them, as History.tla can follow it.
import { eventsByLease, Names } from "../trace-events.mjs";

const limits = { steps: 40 };

/** The model knows fewer reasons: who takes from whom is Tenure.tla's subject. */
const reasons = {
  created: "created",
  recreated: "recreated",
  taken: "taken",
  "taken-from-fenced": "taken",
  handoff: "taken",
  released: "released",
  resumed: "raised",
  raised: "raised",
  deleted: "deleted",
};

/** @returns {{ lease: string, steps: object[] }[]} the leases whose tenures are of most kinds, first */
export function tracesIn(events, { most }) {
  return [...eventsByLease(events)]
    .map(([lease, of]) => project(lease, of))
    .filter(({ steps }) => steps.filter(({ is }) => is === "archived").length > 1)
    .sort((a, b) => worth(b) - worth(a) || (a.lease < b.lease ? -1 : 1))
    .slice(0, most);
}

function worth({ steps }) {
  return 10 * new Set(steps.map(({ how }) => how)).size + steps.length;
}

function project(lease, events) {
  const names = new Names();
  const made = events.filter(({ type }) => type === "lease-created").map(({ epoch }) => epoch);
  const base = Math.min(...made) - 1;
  const steps = events.flatMap((event) => {
    const step = stepOf(event, names, base);
    return step === undefined ? [] : [{ ...step, epoch: step.epoch - base }];
  });
  return { lease, names: names.all, steps: steps.slice(0, limits.steps) };
}

function stepOf(event, names, base) {
  const { type, workerId, epoch } = event;
  const change = (at, how, owner) => ({ is: "change", epoch: at, how, owner: names.of(owner) ?? "none" });
  switch (type) {
    case "history-archived":
      return {
        ...change(epoch, reasons[event.how], event.owner),
        is: "archived",
        endedBy: reasons[event.endedBy],
      };
    case "tenure-began":
      return change(epoch, reasons[event.how], workerId);
    case "tenure-raised":
      return change(event.to, "raised", workerId);
    case "handed-off":
      return change(epoch + 1, "taken", event.target);
    case "released":
      return change(epoch + 1, "released");
    case "lease-marked":
      return change(epoch, "deleted");
    case "lease-created":
      return change(epoch, epoch === base + 1 ? "created" : "recreated");
    default:
      return undefined;
  }
}

/** Traces that are none. */
export function corruptionsOf({ steps, ...rest }) {
  const corruptions = [];
  const add = (what, wrong) => corruptions.push({ what, trace: { ...rest, steps: wrong } });
  // The first entry, and the change that needed it: the one two epochs on.
  const entry = steps.findIndex(({ is }) => is === "archived");
  const { epoch } = steps[entry];
  const change = steps.findIndex((one) => one.is === "change" && one.epoch > epoch + 1);
  if (change > entry) {
    const without = steps.filter((one, at) => at > change || one.is !== "archived" || one.epoch !== epoch);
    add("a change without its entry", without);
    const late = without.filter((_, at) => at <= without.indexOf(steps[change]));
    add("an entry after the change that needs it", [...late, steps[entry]]);
  }
  const altered = (more) => steps.map((one, at) => (at === entry ? { ...one, ...more } : one));
  add("an entry with another owner", altered({ owner: steps[entry].owner === "none" ? "w1" : "none" }));
  add(
    "an entry with another end",
    altered({ endedBy: steps[entry].endedBy === "taken" ? "raised" : "taken" }),
  );
  const last = steps.findLast(({ is }) => is === "change");
  add("an entry of what has not happened", [
    ...steps,
    { ...last, is: "archived", epoch: Math.max(...steps.map((one) => one.epoch)) + 1, endedBy: "taken" },
  ]);
  const again = steps.findLastIndex(
    (one, at) =>
      one.is === "change" &&
      one.owner !== "none" &&
      steps.some((other, i) => i < at && other.is === "change" && other.owner !== one.owner),
  );
  if (again >= 0) {
    const before = steps.findLast(
      (one, at) => at < again && one.is === "change" && one.owner !== steps[again].owner,
    );
    const twice = { ...steps[again], epoch: before.epoch };
    add("an epoch of two owners", [...steps.slice(0, again), twice]);
  }
  return corruptions;
}

export function runOf(traces) {
  const all = traces.flatMap(({ steps }) => steps);
  return {
    spec: "History",
    traces: traces.map(({ steps }) => ({ steps })),
    constants: {
      Owners: new Set(["w1", ...traces.flatMap(({ names }) => names)]),
      None: Symbol("none"),
      MaxEpoch: Math.max(...all.map(({ epoch }) => epoch)) + 2,
      MaxHandDeletions: 0,
      MaxCreators: 0,
      Without: new Set(),
      // Two changes, one of which nobody tells of, and their entries.
      Unseen: 8,
    },
    invariants: ["S2", "S12Nothing", "S12Every"],
  };
}
