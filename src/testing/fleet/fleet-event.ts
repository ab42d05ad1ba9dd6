import type { LeaseholdEvent } from "../../model/events.js";
import type { LogLevelOfHandler } from "../../embedded/fleet-messages.js";

/** What happens in a fleet under test: the workers' own events, what their handlers log, and the ends of workers. */
export type Happening =
  | LeaseholdEvent
  /** The handler called its logger: the processor's own log. */
  | {
      readonly type: "logged";
      readonly level: LogLevelOfHandler;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /** The worker beats; its leases follow. */
  | { readonly type: "started"; readonly workerId: string }
  /** The worker ended by an error. */
  | { readonly type: "failed"; readonly code: string; readonly message: string }
  /** The worker is over. `code` is 0 after a clean stop; a process that was killed has a `signal` instead. */
  | { readonly type: "exited"; readonly code: number | null; readonly signal: string | null };

/** Something that happened, in whom and when. */
export type Seen<Of extends Happening = Happening> = Of & {
  /** The worker's label. */
  readonly label: string;
  /** Wall time, ms since 1970; one clock for all processes of a machine. */
  readonly atMs: number;
};
