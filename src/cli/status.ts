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
  const troubles = troublesIn(status);
  const lines = [
    `application ${status.application}, liveness ${status.liveness}, planner ${status.planner ?? "none"}`,
    "",
    ...table(
      ["WORKER", "STATE", "DEPLOYMENT", "LEASES", "LOAD", "CAPACITY"],
      status.workers.map((worker) => [
        worker.workerId,
        worker.state,
        worker.deployment ?? "-",
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
        lease.state,
        lease.parents.join(" ") || "-",
      ]),
    ),
    ...(troubles.length > 0 ? ["", ...troubles] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** What somebody should look at, beneath the tables: a sentence in a column would push all others out of sight. */
function troublesIn({ workers, leases }: FleetStatus): readonly string[] {
  const foreign = leases.filter(({ state }) => state === "foreign");
  return [
    ...(foreign.length === 0
      ? []
      : [
          `owned by no worker of this fleet, by a Java KCL worker most likely: ${foreign.map(({ leaseKey, owner }) => `${leaseKey} (${owner ?? "-"})`).join(" ")}`,
        ]),
    ...workers.flatMap(({ workerId, failing, stuck }) => [
      ...(failing.length === 0 ? [] : [`work fails in ${workerId}: ${failing.join(" ")}`]),
      ...(stuck.length === 0 ? [] : [`stuck processors in ${workerId}: ${stuck.join(" ")}`]),
    ]),
    ...leases.flatMap(({ leaseKey, problem }) =>
      problem === undefined ? [] : [`row ${leaseKey} cannot be read: ${problem}`],
    ),
  ];
}
