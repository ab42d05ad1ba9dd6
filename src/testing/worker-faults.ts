/** Worker slots are numbered from 0; a slot's worker may be dead, and the fault then does nothing. */
export interface AtWorker {
  readonly atMs: number;
  readonly worker: number;
}

export interface Lasting {
  readonly atMs: number;
  readonly forMs: number;
}

/** What can befall a process and its machine. */
export type MachineFault =
  /** SIGKILL. What it has sent is on its way all the same. */
  | ({ readonly kind: "crash" } & AtWorker)
  /** SIGKILL, and a new process at once. */
  | ({ readonly kind: "restart" } & AtWorker)
  /** A supervised process exits: its parent fences the workers that it had announced. */
  | ({ readonly kind: "exit" } & AtWorker)
  /** A new process in the slot, where none runs; of another deployment where it says so. */
  | ({ readonly kind: "start"; readonly deployment?: string } & AtWorker)
  /** SIGSTOP and SIGCONT: no code runs, the clocks go on. */
  | ({ readonly kind: "pause" } & AtWorker & Lasting)
  /** The machine sleeps: its monotonic clock stands still as well. */
  | ({ readonly kind: "suspend" } & AtWorker & Lasting)
  /**
   * User code blocks the event loop, from the next batch that it is given until this is over. Unlike after a pause, the
   * user's code goes on before any timer or answer that has come due: nothing has told it of the time that went by.
   */
  | ({ readonly kind: "event-loop-stall" } & AtWorker & Lasting)
  /** Its wall clock is set forward or (negative) back. */
  | ({ readonly kind: "wall-jump"; readonly byMs: number } & AtWorker)
  /** Every process of the fleet dies at once; when it is over all slots start at once. */
  | ({ readonly kind: "cold-start" } & Lasting)
  /** The process dies, and at the same instant everybody who observes its worker. */
  | ({ readonly kind: "death-with-observers" } & AtWorker);

/** How processes are stopped and replaced. */
export type StopFault =
  /** A clean stop, as on SIGTERM. */
  | ({ readonly kind: "stop" } & AtWorker)
  /** A clean stop, and so much later a second SIGTERM: nothing is waited for any more. */
  | ({ readonly kind: "second-stop" } & AtWorker & Lasting)
  /** A clean stop that is called off so much later: the process goes on as a new worker, beside the one that leaves. */
  | ({ readonly kind: "stop-called-off" } & AtWorker & Lasting)
  /** Deployed anew: a process of that deployment starts beside the present one, which is stopped so much later. */
  | ({ readonly kind: "replace"; readonly deployment: string } & AtWorker & Lasting);

/** What can be wrong with the work of a process. */
export type ProcessorFault =
  /** It returns from nothing that it begins meanwhile before this is over. */
  | ({ readonly kind: "stuck-processor" } & AtWorker & Lasting)
  /** It throws at this share of the batches. */
  | ({ readonly kind: "failing-processor"; readonly share: number } & AtWorker & Lasting)
  /** Each batch takes it so long; it may report its progress. */
  | ({ readonly kind: "slow-processor"; readonly workMs: number; readonly reports: boolean } & AtWorker &
      Lasting);

/** What operators do by hand, who have a way of their own to the tables. */
export type OperatorFault =
  /** The process's worker is fenced, and goes on knowing nothing of it until it reads its row. */
  | ({ readonly kind: "forced-fence" } & AtWorker)
  /** The row of the process's worker is deleted. */
  | ({ readonly kind: "worker-row-deleted" } & AtWorker)
  /** The row of a lease is deleted; `pick` from 0 up to 1 says which of those of open shards. */
  | { readonly kind: "lease-row-deleted"; readonly atMs: number; readonly pick: number }
  /** Both tables are deleted. Nobody is started again for it before a `start`. */
  | { readonly kind: "tables-deleted"; readonly atMs: number };

/** What can be wrong with whoever plans at that time. */
export type PlannerFault =
  /** It cannot scan the leases, so it beats and plans nothing. */
  | ({ readonly kind: "idle-planner" } & Lasting)
  /** Another live worker gets the planner lease, and the present planner reads nothing of it before this is over. */
  | ({ readonly kind: "two-planners" } & Lasting);
