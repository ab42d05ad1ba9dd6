import type { ProtocolConfig } from "./config.js";
import type { Rollout } from "./deployments.js";

/** A worker as a plan sees it; the fleet room makes it of its row. */
export interface PlanWorker {
  readonly workerId: string;
  /** Unfenced, has beaten, no tombstone. */
  readonly live: boolean;
  /** Is leaving: given nothing, and nothing is planned out of it (its own leaving plan does that). */
  readonly draining: boolean;
  /** New, and to be filled to the mean. */
  readonly joining: boolean;
  /** Without a good read of the fleet: no target, and no giver either, since it cannot check a directive's target. */
  readonly blind: boolean;
  /** Plans and ranks give it at most so many. */
  readonly maxLeases?: number;
  /** It adopts at most so many, whatever happens. Only known of oneself. */
  readonly hardMaxLeases?: number;
  /** Leases that it must not be given: their old, stuck processor still runs in it. */
  readonly unfit: readonly string[];
  /** The label of what it is a deployment of; none counts as one common label. */
  readonly deployment?: string;
  /** The higher, the later its process joined. */
  readonly join: number;
}

/** A lease as a plan sees it; the fleet room makes it of its row and of what it knows of owner and directives. */
export interface PlanLease {
  readonly leaseKey: string;
  readonly owner?: string | undefined;
  readonly epoch: number;
  /** The exponential mean of its load as its row says it; undefined where the row says nothing, or the snapshot does. */
  readonly weight?: number | undefined;
  /** Worked to its end, or marked: in no plan. */
  readonly finished: boolean;
  /** Its parents are not finished: no orphan, but a load where somebody owns it. */
  readonly waiting: boolean;
  /** May be taken: no owner, or a fenced one (a forced fence only after its T). Counts at nobody. */
  readonly free: boolean;
  /** The target of a directive that is posted and not answered: the lease counts there, and stays where it is put. */
  readonly inFlightTo?: string | undefined;
  /** On the clock of `nowMs`: no planned move before. Doubled by the fleet room with each refusal. */
  readonly coolUntilMs?: number | undefined;
}

export type PlanConfig = Pick<
  ProtocolConfig,
  "settleMs" | "settleLimitMs" | "maxMovesInFlight" | "pollIntervalMs" | "expiryMs" | "deployHoldMs"
>;

/** All that a plan is made from. The order of the arrays has no influence. */
export interface PlanSnapshot {
  /** A monotonic local number, compared only with others of the same process. */
  readonly nowMs: number;
  readonly workers: readonly PlanWorker[];
  readonly leases: readonly PlanLease[];
  /**
   * The weights of the leases, each at its place, NaN where unknown; never changed. Apart, because they change with every
   * checkpoint and the rest of a lease hardly ever. Default: what each lease says itself.
   */
  readonly weights?: Float64Array;
  /** Whoever made the list knows that the leases stand in the order of their keys. By default that is found out. */
  readonly inOrder?: true;
  /** Of the deploy that is rolling; undefined while one label is alive. */
  readonly rollout?: Rollout;
  readonly config: PlanConfig;
}

/** Why a lease is moved: to fill a newcomer, between old members, or because its owner leaves. */
export type MoveReason = "newcomer" | "balance" | "drain";

export interface Move {
  readonly leaseKey: string;
  /** As seen; at any other the move is void. */
  readonly epoch: number;
  readonly from: string;
  readonly to: string;
  readonly why: MoveReason;
}
