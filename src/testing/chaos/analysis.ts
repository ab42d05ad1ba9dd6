import type { ChaosRun, JournalLine } from "./journal.js";
import { stretchesOf, stretchKey, type Stretch } from "./stretches.js";

/** Two that must not have been at once. */
export type Overlap =
  /** Two workers believed in one lease at the same time. */
  | {
      readonly kind: "two-believers";
      readonly lease: string;
      readonly first: Stretch;
      readonly second: Stretch;
      readonly forMs: number;
    }
  /** A record was worked by somebody whose belief was over, or had never begun. */
  | {
      readonly kind: "outside-belief";
      readonly lease: string;
      readonly process: string;
      readonly record: string;
      readonly epoch: number;
      /** How long after the end of its belief the lease was asked for; undefined where it had none. */
      readonly lateMs: number | undefined;
    }
  /** A checkpoint of an epoch that somebody's later one had followed was accepted. */
  | {
      readonly kind: "late-checkpoint";
      readonly lease: string;
      readonly process: string;
      readonly epoch: number;
    };

export interface OrphanTimes {
  readonly mean: number;
  readonly p99: number;
  readonly max: number;
}

/** What is known of a run when it is over. */
export interface ChaosAnalysis {
  readonly records: number;
  /** Put, and never worked by anybody. */
  readonly lost: readonly string[];
  /** How often a record was worked that had been worked before. */
  readonly duplicates: number;
  readonly overlaps: readonly Overlap[];
  readonly refusedWrites: number;
  /** How long leases had nobody who believed in them, from the end of one tenure to the begin of the next, in ms. */
  readonly orphanMs: OrphanTimes;
  /** How many of those there were. */
  readonly orphans: number;
}

/** Holds what the processes wrote down against what must never be. */
export function analyse({ journals, put }: ChaosRun): ChaosAnalysis {
  const stretches = journals.flatMap(stretchesOf);
  const worked = new Map<string, number>();
  const overlaps: Overlap[] = twoBelievers(stretches);
  let refusedWrites = 0;
  for (const { name, lines } of journals) {
    const own = new Map(
      stretches.filter(({ process }) => process === name).map((stretch) => [stretchKey(stretch), stretch]),
    );
    for (const line of lines) {
      if (line.what === "record") {
        worked.set(line.id, (worked.get(line.id) ?? 0) + 1);
        const late = outsideBelief(name, line, own.get(stretchKey(line)));
        if (late !== undefined) overlaps.push(late);
      } else if (line.what === "refused") {
        refusedWrites++;
      } else if (line.what === "late-checkpoint") {
        overlaps.push({ kind: "late-checkpoint", lease: line.lease, process: name, epoch: line.epoch });
      }
    }
  }
  const gaps = orphanTimes(stretches);
  return {
    records: put.length,
    lost: put.filter((id) => !worked.has(id)),
    duplicates: [...worked.values()].reduce((sum, times) => sum + times - 1, 0),
    overlaps,
    refusedWrites,
    orphanMs: summary(gaps),
    orphans: gaps.length,
  };
}

function outsideBelief(
  process: string,
  line: Extract<JournalLine, { readonly what: "record" }>,
  stretch: Stretch | undefined,
): Overlap | undefined {
  const { lease, epoch, record, from, at } = line;
  // It was asked for between `from` and `at`. One that begins between them is as good as one that ends there.
  const isInside = stretch !== undefined && from <= stretch.until && at >= stretch.from;
  if (isInside) return undefined;
  const lateMs = stretch === undefined ? undefined : from - stretch.until;
  return { kind: "outside-belief", lease, process, record, epoch, lateMs };
}

function twoBelievers(stretches: readonly Stretch[]): Overlap[] {
  const overlaps: Overlap[] = [];
  for (const [lease, ordered] of byLease(stretches)) {
    let open: Stretch[] = [];
    for (const second of ordered) {
      open = open.filter(({ to }) => to > second.from);
      for (const first of open) {
        const forMs = Math.min(first.to, second.to) - second.from;
        // One worker's tenures follow each other by its own word; between workers there is nothing but time.
        if (first.worker === second.worker && first.process === second.process) continue;
        if (forMs > 0) overlaps.push({ kind: "two-believers", lease, first, second, forMs });
      }
      open.push(second);
    }
  }
  return overlaps;
}

/** From the end of one tenure to the begin of the next, where there was time between them. */
function orphanTimes(stretches: readonly Stretch[]): readonly number[] {
  const gaps: number[] = [];
  for (const [, ordered] of byLease(stretches)) {
    let heldTo: number | undefined;
    for (const { from, to } of ordered) {
      if (heldTo !== undefined && from > heldTo) gaps.push(from - heldTo);
      heldTo = Math.max(heldTo ?? to, to);
    }
  }
  return gaps.sort((a, b) => a - b);
}

function byLease(stretches: readonly Stretch[]): ReadonlyMap<string, readonly Stretch[]> {
  const leases = new Map<string, Stretch[]>();
  for (const stretch of stretches.toSorted((a, b) => a.from - b.from)) {
    const list = leases.get(stretch.lease);
    if (list === undefined) leases.set(stretch.lease, [stretch]);
    else list.push(stretch);
  }
  return leases;
}

/** @param sorted the smallest first */
function summary(sorted: readonly number[]): OrphanTimes {
  const { length } = sorted;
  if (length === 0) return { mean: 0, p99: 0, max: 0 };
  const mean = sorted.reduce((sum, ms) => sum + ms, 0) / length;
  const p99 = sorted[Math.ceil(length * 0.99) - 1] ?? 0;
  const max = sorted[length - 1] ?? 0;
  return { mean: Math.round(mean), p99: Math.round(p99), max: Math.round(max) };
}
