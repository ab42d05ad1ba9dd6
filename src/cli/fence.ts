import { hostname, userInfo } from "node:os";
import { openOperator, type ForcedFence } from "../index.js";
import { table } from "./output.js";

export interface FenceRequest {
  readonly application: string;
  readonly workerId: string;
  readonly operator?: string;
  readonly leaseDurationMs?: number;
}

/** Fences one worker. */
export async function fence(request: FenceRequest): Promise<ForcedFence> {
  const { application, workerId, leaseDurationMs } = request;
  const operator = openOperator({
    application,
    operator: request.operator ?? whoever(),
    ...(leaseDurationMs === undefined ? {} : { leaseDurationMs }),
  });
  try {
    return await operator.fence(workerId);
  } finally {
    operator.close();
  }
}

/** The same for people. */
export function fenceText({ application, workerId, by, at, leases, freeWithinMs }: ForcedFence): string {
  const seconds = String(Math.ceil(freeWithinMs / 1_000));
  const rest =
    leases.length === 0
      ? "it held no lease"
      : `it hands over what it can; what it does not is free within ${seconds} s at the latest`;
  const lines = [
    `worker ${workerId} of ${application} is fenced by ${by} at ${at} (this machine's clock)`,
    rest,
    ...(leases.length === 0
      ? []
      : [
          "",
          ...table(
            ["LEASE"],
            leases.map((leaseKey) => [leaseKey]),
          ),
        ]),
  ];
  return `${lines.join("\n")}\n`;
}

/** A container may run under a user that has no name. */
function whoever(): string {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    user = "somebody";
  }
  return `${user}@${hostname()}`.slice(0, 100);
}
