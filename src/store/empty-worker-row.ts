import { oldestFormatRead, type WorkerRow } from "../model/worker-row.js";

/** A row that no worker ever wrote: a tombstone, or a parent's fence of a child that never made its own. */
export function emptyWorkerRow(workerId: string, beat: number): WorkerRow {
  return {
    workerId,
    beat,
    draining: false,
    joining: false,
    blind: false,
    leases: 0,
    weight: 0,
    utilisation: 0,
    unfit: [],
    failing: [],
    join: 0,
    maxConcurrentBatches: 0,
    readsFormat: oldestFormatRead,
    host: "",
    pid: 0,
    startedAt: "",
    mailbox: new Map(),
  };
}
