import type { LeaseholdEvent } from "../../model/events.js";

/**
 * What a worker process of a chaos run writes down, one JSON object a line, each by a single write before it goes on: what
 * it said before a SIGKILL stands there. All times are the host's monotonic clock in ms, which has one base for every
 * process of a machine.
 */
export type JournalLine =
  | { readonly what: "began"; readonly at: number; readonly pid: number; readonly label: string }
  /** From `at` on the worker may act on the lease, and not beyond `until` unless it says so again. */
  | {
      readonly what: "belief";
      readonly at: number;
      readonly worker: string;
      readonly lease: string;
      readonly epoch: number;
      readonly until: number;
    }
  /** From `at` on the worker does not act on the lease any more, whatever was said of `until`. */
  | {
      readonly what: "belief-over";
      readonly at: number;
      readonly worker: string;
      readonly lease: string;
      readonly epoch: number;
    }
  /**
   * A record was worked. `from` was read before the lease was asked for, `at` after: the answer is from between the two,
   * so that a process which was stopped in between accuses nobody.
   */
  | {
      readonly what: "record";
      readonly from: number;
      readonly at: number;
      readonly worker: string;
      readonly lease: string;
      readonly epoch: number;
      /** Its sequence number in the shard. */
      readonly record: string;
      /** What the producer called it. */
      readonly id: string;
    }
  /** A write under this epoch came too late and was refused: by the sink, or as a checkpoint by the lease table. */
  | {
      readonly what: "refused";
      readonly at: number;
      readonly worker: string;
      readonly lease: string;
      readonly epoch: number;
      readonly write: "sink" | "checkpoint";
      readonly code: string;
    }
  /** The sink had refused this epoch, and yet its checkpoint was accepted. */
  | {
      readonly what: "late-checkpoint";
      readonly at: number;
      readonly worker: string;
      readonly lease: string;
      readonly epoch: number;
    }
  | { readonly what: "event"; readonly at: number; readonly event: LeaseholdEvent };

/** What one process wrote. */
export interface Journal {
  /** Names the process: pids come round again. */
  readonly name: string;
  readonly lines: readonly JournalLine[];
  /**
   * Read before SIGKILL was sent to it; undefined where it was not. It lived at least so long, and what it still did after
   * that stands in its lines.
   */
  readonly killedAt?: number;
}

/** Everything that was written down of a run. */
export interface ChaosRun {
  readonly journals: readonly Journal[];
  /** What the stream acknowledged to have taken, by the names that the producer gave. */
  readonly put: readonly string[];
}
