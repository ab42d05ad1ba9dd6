// What a worker told, and one who fenced it or took its lease, as Belief.tla can follow it: with ticks.
import { eventsOfWorkers } from "../trace-events.mjs";

/** Ticks in a lease duration. */
const ticks = 10;
/** How far local clocks may be off, and a little more. */
const off = 0.01;
/** Beats before the one that was the last seen. */
const beatsBefore = 3;

/** @returns {{ lease: string, steps: object[] }[]} workers that were fenced in different ways first; `lease` is the worker */
export function tracesIn(events, { most, times }) {
  const clock = clockOf(times);
  const byKind = new Map();
  for (const [workerId, told] of eventsOfWorkers(events)) {
    const trace = project(workerId, told, events, clock);
    if (trace === undefined) continue;
    byKind.set(trace.kind, [...(byKind.get(trace.kind) ?? []), trace]);
  }
  for (const traces of byKind.values()) traces.sort((a, b) => worth(b) - worth(a));
  const inTurn = [];
  const order = ["observer", "forced", "left", "parent"].flatMap((kind) => byKind.get(kind) ?? []);
  const kinds = ["observer", "forced", "left", "parent"].flatMap((kind) =>
    (byKind.get(kind) ?? []).slice(0, 1),
  );
  inTurn.push(...kinds, ...order.filter((trace) => !kinds.includes(trace)));
  return inTurn.slice(0, most);
}

const count = (steps, what) => steps.filter(({ is }) => is === what).length;
const worth = ({ steps }) => 10 * Math.min(1, count(steps, "takes")) + Math.min(5, count(steps, "acts"));

/**
 * A belief is shorter than `D` ticks however its borders fall, and an expiry is `T` ticks at least; `W` makes the model
 * wait just that long at most.
 */
function clockOf({ leaseDurationMs, safetyMarginMs, expiryMs }) {
  const tickMs = leaseDurationMs / ticks;
  const D = Math.ceil(((leaseDurationMs - safetyMarginMs) * (1 + off)) / tickMs) + 1;
  const T = Math.floor((expiryMs * (1 - off)) / tickMs);
  if (T <= D) throw new RangeError(`an expiry of ${T} ticks is not above a belief of ${D}`);
  return { tickMs, D, W: Math.ceil(D / (T - D)) };
}

function project(workerId, told, events, { tickMs, D, W }) {
  const fence = events.find(({ type, victim }) => type === "fenced" && victim === workerId);
  const took = events.find(({ type, from, how }) => {
    return type === "tenure-began" && from === workerId && how === "taken-from-fenced";
  });
  const saw = events.find(({ type, victim, workerId: by }) => {
    return type === "fence-seen" && victim === workerId && by !== workerId;
  });
  const observer = (fence ?? took ?? saw)?.workerId;
  const knows = events.find(({ type, victim, workerId: by }) => {
    return type === "fence-seen" && victim === workerId && by === observer;
  });
  const kind = knows?.kind;
  if (observer === undefined || observer === workerId || kind === undefined) return undefined;
  const take = events.find(
    ({ type, from, how, workerId: by }) =>
      type === "tenure-began" && from === workerId && how === "taken-from-fenced" && by === observer,
  );
  const acknowledged = told.filter(({ type }) => type === "beat-acknowledged").map(({ beat }) => beat);
  const last = Math.max(...acknowledged, 0);
  const base = Math.max(0, last - beatsBefore);
  const from = told.find(({ type, beat }) =>
    base === 0 ? type === "worker-created" : type === "beat-acknowledged" && beat === base,
  );
  const until = Math.max(knows.t, take?.t ?? 0);
  const steps = [];
  const add = (t, step) => steps.push({ t, ...step });
  for (const event of told) {
    if (event.t < from.t || event === from || event.t > until) continue;
    const step = ofWorker(event, base);
    if (step !== undefined) add(event.t, step);
  }
  let seen;
  for (const event of events) {
    if (event.workerId !== observer || event.t > until || event.t < from.t) continue;
    if (event.type === "fence-sent" && event.victim === workerId) {
      const beat = event.beat - base;
      if (beat < 0) return undefined;
      if (seen !== beat) add(Math.max(event.t - event.silentMs * (1 - off), from.t), { is: "saw", beat });
      seen = beat;
      add(event.t, { is: "fences", beat });
    } else if (event.victim === workerId) {
      if (event.type === "fenced") add(event.t, { is: "fenced" });
      if (event.type === "fence-refused") add(event.t, { is: "refused" });
      if (event.type === "fence-seen") add(event.t, { is: "knows", fence: event.kind });
    } else if (event === take) add(event.t, { is: "takes" });
  }
  steps.sort((a, b) => a.t - b.t);
  return {
    lease: workerId,
    kind,
    D,
    W,
    steps: withTicks(oneActATick(steps, tickMs), tickMs, from.t),
  };
}

function ofWorker({ type, beat }, base) {
  switch (type) {
    case "beat-sent":
      return beat > base ? { is: "sent", beat: beat - base } : undefined;
    case "beat-acknowledged":
      return { is: "acknowledged", beat: beat - base };
    // Of the acts of a worker that has not beaten within the window nothing can be said.
    case "batch-started":
    case "tenure-began":
    case "tenure-raised":
      return { is: "acts" };
    case "leave-sent":
      return { is: "leaves" };
    case "force-fenced":
      return { is: "forced" };
    case "worker-ended":
      return { is: "ended" };
    case "died":
      return { is: "died" };
    default:
      return undefined;
  }
}

/** The last of those within one tick says as much as all of them; before the first beat of the window none is asked. */
function oneActATick(steps, tickMs) {
  const tickOf = ({ t }) => Math.floor(t / tickMs);
  const first = steps.findIndex(({ is }) => is === "acknowledged");
  return steps.filter((step, at) => {
    if (step.is !== "acts") return true;
    if (at < first || first < 0) return false;
    const next = steps[at + 1];
    return next?.is !== "acts" || tickOf(next) !== tickOf(step);
  });
}

function withTicks(steps, tickMs, from) {
  const out = [];
  let tick = Math.floor(from / tickMs);
  for (const { t, ...step } of steps) {
    for (; tick < Math.floor(t / tickMs); tick++) out.push({ is: "tick" });
    out.push(step);
  }
  return out;
}

/** Traces that are none. */
export function corruptionsOf({ steps, ...rest }) {
  const corruptions = [];
  const add = (what, wrong) => corruptions.push({ what, trace: { ...rest, steps: wrong } });
  const at = (what) => steps.findIndex(({ is }) => is === what);
  const [knows, takes] = [at("knows"), at("takes")];
  const over = takes < 0 ? steps : steps.slice(0, takes + 1);
  if (rest.kind !== "forced") {
    add("an act after the fence", [...steps.slice(0, knows + 1), { is: "acts" }]);
  } else if (takes >= 0) {
    add("an act after the take", [...over, { is: "acts" }]);
  }
  const beatOf = (what) =>
    Math.max(0, ...steps.slice(0, knows).map((step) => (step.is === what ? step.beat : 0)));
  const underWay = beatOf("sent") > beatOf("acknowledged");
  const beat = beatOf("acknowledged") + 1;
  add("a beat acknowledged after the fence", [
    ...steps.slice(0, knows + 1).filter(({ is }) => is !== "died" && is !== "ended"),
    ...(underWay ? [] : [{ is: "sent", beat }]),
    { is: "acknowledged", beat },
  ]);
  const sent = steps.findLastIndex(({ is }, i) => is === "fences" && i < knows);
  const saw = steps.findLastIndex(({ is }, i) => is === "saw" && i < sent);
  if (saw >= 0) {
    const between = [...steps.keys()].filter((i) => i > saw && i < sent && steps[i].is === "tick");
    const tooMany = new Set(between.slice(rest.D + Math.ceil(rest.D / rest.W) - 1));
    const short = steps.filter((_, i) => !tooMany.has(i));
    add("a fence one tick too early", short);
  }
  if (takes >= 0) {
    const others = ["fences", "fenced", "knows", "saw", "leaves", "forced", "ended"];
    add(
      "a take without a fence",
      over.filter(({ is }) => !others.includes(is)),
    );
  }
  return corruptions;
}

export function runOf(traces) {
  const [{ D, W }] = traces;
  return {
    spec: "Belief",
    traces: traces.map(({ steps }) => ({ steps })),
    constants: {
      D,
      W,
      MaxBeat: Math.max(...traces.flatMap(({ steps }) => steps.map(({ beat }) => beat ?? 0))),
      Attempts: Math.max(...traces.map(({ steps }) => steps.filter(({ is }) => is === "sent").length)) + 1,
      Observers: new Set(["b"]),
      Without: new Set(),
      // A beat and a fence that are applied, and a read of three steps.
      Unseen: 5,
    },
    invariants: ["TypeOK", "S1", "S6"],
  };
}
