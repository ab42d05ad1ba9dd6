import type {
  FleetPart,
  FleetRows,
  MailEntry,
  MetaRow,
  Observes,
  WorkerIdentity,
  WorkerRow,
  WorkerStatus,
} from "../model/worker-row.js";
import type { Call, PlainOutcome, WriteOutcome } from "./call.js";

export interface Beat {
  readonly workerId: string;
  /** The beat that the row must show; it is raised by one. */
  readonly beat: number;
  readonly status: WorkerStatus;
  /** Keys of mailbox entries that were answered. */
  readonly removeMail: readonly string[];
}

/** What `meta` must show for its format to be raised. */
export type FormatExpectation = Pick<MetaRow, "format" | "joins">;

/** The rows of workers. Every write but creation and the parent's fence is refused on a missing or fenced row. */
export interface Membership {
  /** One query: every row of the fleet, `planner` and `meta` included. */
  readFleet(call: Call & { readonly consistent: boolean }): Promise<FleetRows>;
  readWorker(workerId: string, call: Call & { readonly consistent: boolean }): Promise<WorkerRow | undefined>;
  /**
   * The rows of these workers, and `planner`: by their keys, eventually consistent. It costs by the rows asked for, not
   * by the size of the fleet.
   */
  readPart(workerIds: readonly string[], call?: Call): Promise<FleetPart>;
  /**
   * Makes or joins `meta` by one update: mode and format by `if_not_exists`, `ADD joins 1`. The answer is as stored:
   * the caller checks it.
   */
  join(mode: string, format: number, call?: Call): Promise<MetaRow>;
  /** `SET format = format + 1 IF format = :format AND joins = :joins`: nobody has joined since the rows were read. */
  raiseFormat(expect: FormatExpectation, call?: Call): Promise<WriteOutcome<MetaRow>>;
  /** Writes `kclNote` into `meta`, whatever stood there: who overwrites it has watched the same rows. */
  note(kclNote: string, call?: Call): Promise<MetaRow>;
  /** `beat = 0`, empty mailbox, `IF attribute_not_exists(pk)`: a late unconditional creation would un-fence. */
  create(identity: WorkerIdentity, status: WorkerStatus, call?: Call): Promise<WriteOutcome<WorkerRow>>;
  /** `SET beat = beat + 1 … IF beat = :beat AND attribute_not_exists(fencedBy)`; the answer is also the mailbox. */
  beat(beat: Beat, call?: Call): Promise<WriteOutcome<WorkerRow>>;
  /** `SET fencedBy IF beat = :beat AND attribute_not_exists(fencedBy)`: by an observer, of a worker fallen silent. */
  fence(workerId: string, by: string, beat: number, call?: Call): Promise<WriteOutcome<WorkerRow>>;
  /** A worker's fence of itself: `IF attribute_exists(beat) AND attribute_not_exists(fencedBy)`. */
  leave(workerId: string, call?: Call): Promise<WriteOutcome<WorkerRow>>;
  /**
   * By an operator, whatever the beat: `IF attribute_exists(beat) AND attribute_not_exists(fencedBy)`. It proves no
   * silence, and the row says so.
   * @param at wall time, ISO 8601, for people
   */
  forceFence(workerId: string, by: string, at: string, call?: Call): Promise<WriteOutcome<WorkerRow>>;
  /** By the parent of a process that has exited: without a beat, creating the row fenced if need be. */
  fenceExited(workerId: string, by: string, call?: Call): Promise<WriteOutcome<WorkerRow>>;
  /** An unfenced row with `beat = −1` for a worker that leases name and that has no row: `IF attribute_not_exists(pk)`. */
  createTombstone(workerId: string, call?: Call): Promise<WriteOutcome<WorkerRow>>;
  /** Adds entries to a mailbox: `IF attribute_exists(beat) AND attribute_not_exists(fencedBy)`. One write for all. */
  post(
    workerId: string,
    entries: ReadonlyMap<string, MailEntry>,
    call?: Call,
  ): Promise<WriteOutcome<WorkerRow>>;
  /** Adds a mark to what a worker observes: `IF attribute_exists(beat) AND attribute_not_exists(fencedBy)`. */
  nameObserver(observer: string, mark: string, call?: Call): Promise<WriteOutcome<WorkerRow>>;
  /**
   * The planner's list of what a worker observes: as above, AND no planner of a higher epoch has written it, so that a
   * deposed one's late word never overrides its successor's.
   */
  assignObserver(observer: string, observes: Observes, call?: Call): Promise<WriteOutcome<WorkerRow>>;
  /** Collects a fenced row: `DELETE IF attribute_exists(fencedBy)`. */
  remove(workerId: string, call?: Call): Promise<PlainOutcome>;
}
