import { openInspector, type FleetStatus } from "../inspect.js";
import { table } from "./output.js";

/** Reads an application's state once. */
export async function readStatus(application: string): Promise<FleetStatus> {
  const inspector = openInspector({ application });
  try {
    return await inspector.status();
  } finally {
    inspector.close();
  }
}

/** The same for people. */
export function statusText(status: FleetStatus): string {
  const lines = [
    `application ${status.application}, liveness ${status.liveness}, planner ${status.planner ?? "none"}`,
    "",
    ...table(
      ["WORKER", "STATE", "LEASES", "LOAD", "CAPACITY"],
      status.workers.map((worker) => [
        worker.workerId,
        worker.state,
        worker.leases,
        worker.load,
        worker.capacity,
      ]),
    ),
    "",
    ...table(
      ["LEASE", "OWNER", "EPOCH", "CHECKPOINT", "STATE", "PARENTS"],
      status.leases.map((lease) => [
        lease.leaseKey,
        lease.owner ?? "-",
        lease.epoch ?? "-",
        lease.checkpoint ?? "-",
        lease.problem ?? lease.state,
        lease.parents.join(" ") || "-",
      ]),
    ),
  ];
  return `${lines.join("\n")}\n`;
}
