import type { WorkerStatus } from "../model/worker-row.js";
import type { Member } from "./member.js";

/** The row stays below 1,000 bytes: above, every beat costs double. */
const failingShown = 3;

/** What a worker's parts add to what it holds. */
export type OwnStatus = Pick<WorkerStatus, "draining" | "joining" | "blind" | "planner">;

/** What a worker says of itself with the beat that is sent now. */
export function workerStatus({ tenures, deps }: Member, own: OwnStatus): WorkerStatus {
  const held = tenures.held();
  const { utilisation, failing } = deps.host.load();
  return {
    ...own,
    leases: held.length,
    weight: held.reduce((sum, { row }) => sum + (row.throughputKBps ?? 0), 0),
    utilisation,
    unfit: deps.host.unfit(),
    failing: failing.slice(0, failingShown),
  };
}
