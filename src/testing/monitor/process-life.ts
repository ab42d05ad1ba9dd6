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
  /** For how long it has been seen to run, ms: no stop of it counts. */
  ranMs = 0;
  #toldAt: number | undefined;

  constructor(source: string) {
    this.source = source;
  }

  /** It tells something. @param stoppedMs a silence so long may be a stop */
  tells(at: number, stoppedMs: number): void {
    const silentMs = at - (this.#toldAt ?? at);
    if (silentMs < stoppedMs) this.ranMs += silentMs;
    this.#toldAt = at;
  }

  /** A call into the processor has come back. */
  isBack(leaseKey: string): void {
    this.underWay.delete(leaseKey);
    this.told.delete(leaseKey);
    this.stuck.delete(leaseKey);
  }
}
