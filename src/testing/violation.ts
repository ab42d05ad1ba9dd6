/**
 * What must hold in every simulation; the names are the protocol's.
 *
 * - `one-believer` (S1), `epochs-increase` (S2), `deposed-writes-nothing` (S3), `checkpoints-advance` (S4), `fenced-is-silent` (S5),
 *   `belief-ends-before-fence` (S6), `belief-rests-on-beats` (S7), `work-within-belief` (S10), `once-told` (S10),
 *   `parents-first` (S11), `nothing-lost` (S12), `history-is-whole` (S12).
 * - `taken-only-when-free`: no data lease leaves an owner that neither gave it up nor is fenced.
 * - `monitor`: the events follow one another as the protocol allows (`monitor/rules.ts`, whose rule the message names).
 * - `drained-before-handoff`, `stops-drain`: work comes to rest, and is checkpointed, before its lease is given away.
 * - `deletion-surfaces`: deleted tables end every worker, and are not made again behind people's backs.
 * - `owned-after-healing` (L1, L7), `outages-move-nothing` (L4), `stops-leave-no-orphan` (L5), `deaths-are-fenced`
 *   (L6), `deaths-are-collected` (L6), `balance-rests` (L2, L3), `moves-near-floor` (L3), `held-is-worked` (L8),
 *   `stops-clean`, `no-leaks`.
 */
export const invariantNames = [
  "one-believer",
  "epochs-increase",
  "deposed-writes-nothing",
  "taken-only-when-free",
  "checkpoints-advance",
  "fenced-is-silent",
  "belief-ends-before-fence",
  "belief-rests-on-beats",
  "work-within-belief",
  "once-told",
  "parents-first",
  "nothing-lost",
  "history-is-whole",
  "drained-before-handoff",
  "stops-drain",
  "monitor",
  "owned-after-healing",
  "outages-move-nothing",
  "stops-leave-no-orphan",
  "deaths-are-fenced",
  "held-is-worked",
  "balance-rests",
  "moves-near-floor",
  "deaths-are-collected",
  "deletion-surfaces",
  "stops-clean",
  "no-leaks",
] as const;
export type InvariantName = (typeof invariantNames)[number];

/** Takes what a check found. */
export type Report = (invariant: InvariantName, what: string) => void;

/** A simulation in which something did not hold. The message has all that is needed to run it again. */
export class InvariantViolation extends Error {
  readonly invariant: InvariantName;
  readonly seed: string;
  /** Virtual time, ms. */
  readonly atMs: number;
  /** The newest lines of the trace. */
  readonly trace: readonly string[];

  constructor(
    invariant: InvariantName,
    what: string,
    at: { readonly seed: string; readonly atMs: number; readonly trace: readonly string[] },
  ) {
    super(
      `${invariant} is violated in seed ${at.seed} at ${at.atMs.toFixed(3)} ms: ${what}\n` +
        at.trace.map((line) => `  ${line}`).join("\n"),
    );
    this.name = "InvariantViolation";
    this.invariant = invariant;
    this.seed = at.seed;
    this.atMs = at.atMs;
    this.trace = at.trace;
  }
}
