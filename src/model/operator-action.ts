import { isForced, type WorkerRow } from "./worker-row.js";

/**
 * What an operator did to a fleet, in the history for good. It is no tenure and has no epoch: a worker is fenced at most
 * once, so its id is key enough.
 */
export interface OperatorAction {
  readonly action: "fence";
  readonly worker: string;
  /** The operator. */
  readonly by: string;
  /** Wall time of the operator's machine, ISO 8601, for people. */
  readonly at: string;
}

/**
 * The entry of an operator's fence. It is a function of the fenced row alone, so that whoever finds the row may put it into
 * the history: the operator's command, right after the fence, and, should that have died in between, whoever is about to
 * remove the row. Undefined where no operator fenced the worker.
 */
export function actionIn(row: WorkerRow): OperatorAction | undefined {
  if (!isForced(row)) return undefined;
  const { workerId: worker, fencedBy: by = "", fencedAt: at = "" } = row;
  return { action: "fence", worker, by, at };
}
