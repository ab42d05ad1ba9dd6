import type { Belief } from "../tenure/belief.js";
import type { Tenures } from "../tenure/tenures.js";
import type { FleetDeps } from "./fleet-deps.js";
import type { FleetView } from "./fleet-view.js";
import type { LeaseView } from "./lease-view.js";
import type { Tasks } from "./tasks.js";

/** One incarnation as its parts see it: who it is, what it holds, and what it knows. */
export interface Member {
  readonly deps: FleetDeps;
  readonly workerId: string;
  readonly belief: Belief;
  readonly tenures: Tenures;
  readonly fleet: FleetView;
  readonly leases: LeaseView;
  readonly tasks: Tasks;
}
