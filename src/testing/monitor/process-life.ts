/** One process, in which one worker follows another: what a stuck processor does outlives the worker that called it. */
export class ProcessLife {
  readonly source: string;
  /** The process is dead: nobody is there to believe or to work. */
  gone = false;
  /** Batches in the hands of the processor: the epoch that they were handed over at, by lease. */
  readonly underWay = new Map<string, number>();
  /** Leases whose processor was told to break off and has not returned. */
  readonly told = new Set<string>();
  /** Leases that were given up because their processor did not. */
  readonly stuck = new Set<string>();

  constructor(source: string) {
    this.source = source;
  }

  /** A call into the processor has come back. */
  isBack(leaseKey: string): void {
    this.underWay.delete(leaseKey);
    this.told.delete(leaseKey);
    this.stuck.delete(leaseKey);
  }
}
