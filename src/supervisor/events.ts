import type { ChildExit } from "./child-host.js";

/** Everything that happens in a supervisor. */
export type SupervisorEvent =
  | { readonly type: "child-started"; readonly label: string; readonly pid: number | undefined }
  | {
      readonly type: "child-announced";
      readonly label: string;
      readonly pid: number | undefined;
      readonly workerId: string;
    }
  | {
      readonly type: "child-exited";
      readonly label: string;
      readonly pid: number | undefined;
      readonly exit: ChildExit;
      /** Workers of it that had not left: they are being fenced. */
      readonly fencing: readonly string[];
    }
  | { readonly type: "child-restarts"; readonly label: string; readonly inMs: number }
  | {
      readonly type: "child-fatal";
      readonly label: string;
      readonly code: string;
      readonly message: string;
    }
  | { readonly type: "child-killed"; readonly label: string; readonly pid: number | undefined }
  /** `refused`: the row was fenced before, by an observer or by the worker itself. */
  | {
      readonly type: "worker-fenced";
      readonly workerId: string;
      readonly outcome: "fenced" | "refused" | "no-table";
    }
  | {
      readonly type: "fence-failed";
      readonly workerId: string;
      readonly error: string;
      readonly retryInMs: number;
    }
  | { readonly type: "stopping"; readonly force: boolean };
