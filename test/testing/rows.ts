import type { WorkerIdentity, WorkerStatus } from "../../src/model/worker-row.js";

/** A worker that holds nothing and says nothing of itself. */
export const quiet: WorkerStatus = {
  draining: false,
  joining: false,
  blind: false,
  leases: 0,
  weight: 0,
  utilisation: 0,
  unfit: [],
  failing: [],
};

export function identity(workerId: string): WorkerIdentity {
  return {
    workerId,
    maxConcurrentBatches: 64,
    join: 1,
    readsFormat: 1,
    host: "host",
    pid: 1,
    startedAt: "2026-01-01T00:00:00.000Z",
  };
}
