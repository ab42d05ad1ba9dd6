// What a fleet told of one lease that changed hands, and of who planned it, as Fleet.tla can follow it.
import { eventsByLease, Names } from "../trace-events.mjs";

const limits = { workers: 4, steps: 25, begins: 5 };
/** Ends of a tenure that the model knows, and how. */
const ends = { handoff: "gives", stop: "gives", "lease-lost": "silent", fenced: "silent" };

/** @returns {{ lease: string, steps: object[] }[]} the leases that planners moved most often, first */
export function tracesIn(events, { most }) {
  return [...eventsByLease(events)]
    .map(([lease, of]) => project(lease, of, events))
    .filter((trace) => trace !== undefined && trace.names.length <= limits.workers)
    .sort((a, b) => worth(b) - worth(a) || a.steps.length - b.steps.length || (a.lease < b.lease ? -1 : 1))
    .slice(0, most);
}

const count = (steps, what) => steps.filter(({ is }) => is === what).length;
const worth = ({ steps }) =>
  10 * Math.min(2, count(steps, "posted")) + 10 * Math.min(1, count(steps, "silent")) + count(steps, "began");

/** Undefined of a lease of which something is told that Fleet.tla does not have: raises, marks, other releases, forced fences. */
function project(lease, ofLease, events) {
  const begins = ofLease.filter(({ type }) => type === "tenure-began").slice(0, limits.begins);
  if (begins.length < 2) return undefined;
  const until = begins.at(-1).t;
  const own = ofLease.filter(({ t }) => t <= until);
  const isForeign = own.some(
    ({ type, reason, answer }) =>
      ["tenure-raised", "lease-marked", "lease-usurped"].includes(type) ||
      (type === "tenure-ended" && ends[reason] === undefined) ||
      (type === "directive-answered" && answer !== "handed-off"),
  );
  if (isForeign) return undefined;
  const names = new Names();
  for (const { type, workerId, target, from } of own) {
    if (["tenure-began", "handed-off", "directive-posted"].includes(type)) names.of(workerId);
    names.of(target);
    if (type === "directive-posted") names.of(from);
  }
  const base = begins[0].epoch - 2;
  const planners = [...new Set(own.flatMap(({ plannerEpoch }) => plannerEpoch ?? []))].sort((a, b) => a - b);
  const known = new Set(names.all);
  const processes = new Map();
  const steps = [];
  const seen = new Set();
  let posted = 0;
  for (const event of events) {
    if (event.t > until) break;
    const { type, workerId, victim } = event;
    if (type === "worker-created") processes.set(event.who, [...(processes.get(event.who) ?? []), workerId]);
    if (type === "died") {
      for (const one of processes.get(event.who) ?? []) if (knows(names, known, one)) add("over", one);
    } else if (victim !== undefined && knows(names, known, victim)) {
      if (event.kind === "forced") return undefined;
      const is = {
        fenced: "fenced",
        "fence-seen": "fenced",
        "worker-collected": "collected",
        "tombstone-created": "buried",
      }[type];
      if (is !== undefined && !seen.has(`${is} ${victim}`)) add(is, victim);
      seen.add(`${is} ${victim}`);
    } else if (workerId !== undefined && knows(names, known, workerId)) tell(event);
  }
  return { lease, names: names.all, planners: planners.length, steps: steps.slice(0, limits.steps) };

  function add(is, workerId, more = {}) {
    steps.push({ is, of: names.of(workerId), ...more });
  }

  function tell({ type, workerId, leaseKey, epoch, reason, target, from, plannerEpoch }) {
    const planner = planners.indexOf(plannerEpoch ?? epoch) + 1;
    if (type === "draining") add("draining", workerId);
    if (type === "leave-sent") add("left", workerId);
    if (type === "worker-ended") add("over", workerId);
    if (type === "planner-elected" && planner > 0) add("elected", workerId, { epoch: planner });
    // By a planner of this trace: of others it knows nothing.
    if (type === "planner-deposed" && planner > 0 && planner < planners.length)
      add("deposed", workerId, { epoch: planner });
    if (leaseKey !== lease) return;
    if (type === "tenure-began") add("began", workerId, { epoch: epoch - base });
    if (type === "tenure-ended") add(ends[reason], workerId);
    if (type === "handed-off") add("given", workerId, { epoch: epoch - base, to: names.of(target) });
    if (type === "released") add("given", workerId, { epoch: epoch - base, to: "none" });
    if (type === "directive-posted") {
      posted += 1;
      add("posted", workerId, { epoch: posted, from: names.of(from), to: names.of(target), by: planner });
    }
  }
}

/** Asking for a name makes one. */
function knows(names, known, workerId) {
  return names.has(workerId) && known.has(names.of(workerId));
}

/** Traces that are none. */
export function corruptionsOf({ steps, names, ...rest }) {
  const corruptions = [];
  const add = (what, wrong) => corruptions.push({ what, trace: { ...rest, names, steps: wrong } });
  const begins = [...steps.keys()].filter((at) => steps[at].is === "began");
  const at = begins[0];
  const lives = (name) =>
    steps.slice(0, at).every(({ is, of }) => of !== name || !["over", "left", "fenced"].includes(is));
  const other = names.find((name) => name !== steps[at].of && lives(name));
  if (other !== undefined) {
    const beside = { is: "began", of: other, epoch: steps[at].epoch + 1 };
    add("a begin beside a tenure", [...steps.slice(0, at + 1), beside]);
  }
  const given = steps.findIndex(({ is, to }, i) => {
    return (
      is === "given" &&
      begins.some((b) => b > i && steps[b].epoch === steps[i].epoch + 1 && steps[b].of === to)
    );
  });
  if (given >= 0) {
    const { of, epoch, to } = steps[given];
    const wrong = names.find((name) => name !== to && name !== of);
    const begun = begins.find((b) => steps[b].epoch === epoch + 1);
    if (wrong !== undefined) {
      add("a begin by another than the target", [...steps.slice(0, begun), { ...steps[begun], of: wrong }]);
    }
  }
  const posted = steps.findIndex(({ is }) => is === "posted");
  const sends = steps.findIndex(
    ({ is, of }, i) => is === "gives" && i > posted && of === steps[posted]?.from,
  );
  const drains = steps.findIndex(({ is, of }) => is === "draining" && of === steps[posted]?.from);
  if (posted >= 0 && sends >= 0 && (drains < 0 || drains > sends)) {
    add(
      "a handoff without a directive",
      steps.slice(0, sends + 1).filter(({ is }) => is !== "posted"),
    );
  }
  const took = begins.find((b) => steps.slice(0, b).some(({ is }) => is === "fenced"));
  if (took !== undefined) {
    const wordless = ["fenced", "over", "left", "silent", "gives", "given", "draining"];
    add(
      "a take from one who lives",
      steps.slice(0, took + 1).filter(({ is }) => !wordless.includes(is)),
    );
  }
  return corruptions;
}

export function runOf(traces) {
  const [{ names, planners }] = traces;
  const all = Math.max(...traces.map(({ steps }) => steps.length));
  return {
    spec: "Fleet",
    traces: traces.map(({ steps }) => ({ steps })),
    constants: {
      Workers: new Set(names),
      Leases: new Set(["l"]),
      None: Symbol("none"),
      MaxLeases: 1,
      MaxEnds: all,
      MaxLosses: all,
      MaxPlanners: planners,
      MaxPosts: Math.max(...traces.map(({ steps }) => count(steps, "posted"))),
      Without: new Set(),
      // A silence and a fence, a change of hands, a planner that is elected and posts.
      Unseen: 4,
    },
    invariants: ["S1", "S3", "S9"],
  };
}
