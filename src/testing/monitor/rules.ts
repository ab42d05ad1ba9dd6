/**
 * What no trace may show, whatever the code looks like inside. Each is an allowed transition of the protocol, turned round.
 *
 * A worker's life
 * - `id-used-once`: a workerId is created once. `created-first`: nobody acts before the creation.
 * - `nothing-after-the-end`: who has sent that it left, or has ended, does nothing more. `drains-once`.
 * - `ends-without-tenures`: no tenure outlives its worker. `left-was-sent`: who ended as left has said so.
 * - `beats-in-order`: one beat is under way, the next after its acknowledgement. `beat-was-sent`: what is acknowledged was.
 * - `fenced-is-silent`: no beat beyond the fence, and none after an operator's was read.
 * - `lapse-of-a-belief`: a belief lapses once, and only where there was one.
 *
 * A tenure
 * - `begins-within-belief`, `works-within-belief`. `one-tenure-at-a-time` in a worker.
 * - `epoch-above-own`: above every epoch of the lease that the worker has begun or given up.
 * - `begin-names-its-source`: a take has no owner before it, a handoff another worker, a resume the worker itself.
 * - `lapsed-tenure-ends`: a tenure whose belief has run out does not go on when beats pass again.
 * - `ends-once`, `ended-before-given`: a lease is given back or handed over by a tenure that has ended for that reason.
 * - `drained-before-handoff`, `no-work-after-drain`, `drained-is-checkpointed`.
 * - `one-batch-at-a-time`, `work-beyond-checkpoint`: what is checkpointed is not handed over again.
 * - `checkpoint-by-its-tenure`, `checkpoint-goes-forward`. `loss-told-once`, and only after the end, with its reason.
 * - `stuck-not-adopted`: not by the process in which the old processor still runs.
 * - `directive-at-its-epoch`: answered by a handoff of that very epoch.
 *
 * Across the fleet
 * - `epochs-increase` from begin to begin. `epoch-used-once`: an epoch has one owner, or none.
 * - `one-believer`: no tenure begins while another's belief may last.
 * - `taken-only-when-given-up`, `taken-only-when-fenced`, `forced-frees-after-t`, `handed-over-by-its-owner`.
 * - `deposed-writes-nothing`: no checkpoint of an earlier tenure lies beyond where its successor began.
 * - `successor-starts-from-checkpoint`: no begin behind an acknowledged checkpoint.
 * - `parents-first`. `history-before-change`: each epoch has its entry before it can be lost. `history-in-order`.
 * - `marked-only-when-free`, `marked-not-taken`.
 *
 * Fences
 * - `fence-after-t`: T after the beat that it names was sent, and T of unbroken own beats. `fence-not-while-blind`.
 * - `fence-has-an-author`, `fenced-once`, `collected-only-fenced`.
 *
 * The planner
 * - `planner-epoch-of-one`, `planner-epochs-increase`, `elected-by-claim`, `deposed-stands-not` for T.
 * - `tick-after-round`, `directive-under-epoch`.
 */
export const monitorRules = [
  "id-used-once",
  "created-first",
  "nothing-after-the-end",
  "drains-once",
  "ends-without-tenures",
  "left-was-sent",
  "beats-in-order",
  "beat-was-sent",
  "fenced-is-silent",
  "lapse-of-a-belief",
  "begins-within-belief",
  "works-within-belief",
  "one-tenure-at-a-time",
  "epoch-above-own",
  "begin-names-its-source",
  "lapsed-tenure-ends",
  "ends-once",
  "ended-before-given",
  "drained-before-handoff",
  "no-work-after-drain",
  "drained-is-checkpointed",
  "one-batch-at-a-time",
  "work-beyond-checkpoint",
  "checkpoint-by-its-tenure",
  "checkpoint-goes-forward",
  "loss-told-once",
  "stuck-not-adopted",
  "directive-at-its-epoch",
  "epochs-increase",
  "epoch-used-once",
  "one-believer",
  "taken-only-when-given-up",
  "taken-only-when-fenced",
  "forced-frees-after-t",
  "handed-over-by-its-owner",
  "deposed-writes-nothing",
  "successor-starts-from-checkpoint",
  "parents-first",
  "history-before-change",
  "history-in-order",
  "marked-only-when-free",
  "marked-not-taken",
  "fence-after-t",
  "fence-not-while-blind",
  "fence-has-an-author",
  "fenced-once",
  "collected-only-fenced",
  "planner-epoch-of-one",
  "planner-epochs-increase",
  "elected-by-claim",
  "deposed-stands-not",
  "tick-after-round",
  "directive-under-epoch",
] as const;
export type MonitorRule = (typeof monitorRules)[number];

/** Takes what a rule found: which, and what it expected instead. */
export type Refuse = (rule: MonitorRule, expected: string) => void;

/** The protocol's times, as the workers under watch have them, in ms; and how far the watch is to be trusted. */
export interface MonitorTimes {
  /** D. */
  readonly leaseDurationMs: number;
  /** How much earlier than D a worker stops believing, on its own clock. */
  readonly safetyMarginMs: number;
  /** T. */
  readonly expiryMs: number;
  /** An observer's gap in its own beats that restarts its timers. */
  readonly blindGapMs: number;
  /** ρ. */
  readonly clockRateBound: number;
  /** How exactly an event's time is its instant. Default 0.01. */
  readonly slackMs?: number;
}

/** The same in true time, at its most generous: no clock within the bound makes a rule cry wrongly. */
export class Bounds {
  /** The longest that a belief may last. */
  readonly beliefMs: number;
  /** The shortest that T may take. */
  readonly expiryMs: number;
  /** The longest gap that any clock may take for none. */
  readonly blindGapMs: number;
  /** The longest that an attempt under way may take to be told of, with a stop of its process too short to be seen. */
  readonly attemptMs: number;

  constructor(times: MonitorTimes) {
    const { clockRateBound, slackMs = 0.01 } = times;
    this.beliefMs = (times.leaseDurationMs - times.safetyMarginMs) / (1 - clockRateBound) + slackMs;
    this.expiryMs = times.expiryMs / (1 + clockRateBound) - slackMs;
    this.blindGapMs = times.blindGapMs / (1 - clockRateBound) + slackMs;
    this.attemptMs = times.leaseDurationMs / (1 - clockRateBound) + slackMs;
  }
}
