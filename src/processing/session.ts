import { comparePositions, type Position } from "../model/position.js";
import type { SourceFetch, SourceRecord } from "../source/partition-source.js";
import type { Tenure } from "../tenure/tenure.js";
import { makeBatch, type Batch, type FetchedRecords } from "./batch.js";
import type { Checkpointer } from "./checkpointer.js";
import type { Fetcher } from "./fetcher.js";

/** What is to be handed over of a batch. A source may make its records only when they are looked at. */
export interface Left {
  readonly count: number;
  readonly records: () => readonly SourceRecord[];
}

/**
 * Work from one checkpoint on: a tenure has one, and another whenever a processor that was asked to stop is to go on
 * after all, for nobody knows what it has thrown away.
 */
export class Session {
  readonly checkpointer: Checkpointer;
  readonly #tenure: Tenure;
  /** Undefined until the source was opened, and after its reader failed. */
  fetcher: Fetcher | undefined;
  /** What was fetched and is not done. */
  current: SourceFetch | undefined;
  initialized = false;
  /** The processor has heard `stopRequested`. */
  stopTold = false;
  childrenCreated = false;
  #attempts = 0;

  constructor(tenure: Tenure, checkpointer: Checkpointer) {
    this.#tenure = tenure;
    this.checkpointer = checkpointer;
  }

  /**
   * What is left to do of a fetched batch. After a failure that is what was not checkpointed: the rest was declared done,
   * and its checkpoints could only go back. Undefined when nothing is left.
   */
  left(fetched: FetchedRecords): Left | undefined {
    const checkpoint = this.#tenure.row.checkpoint;
    if (this.#attempts === 0) {
      return { count: fetched.count ?? fetched.records.length, records: () => fetched.records };
    }
    const end = this.endOf(fetched);
    if (end !== undefined && comparePositions(checkpoint, end) >= 0) return undefined;
    const records = fetched.records.filter((record) => comparePositions(record, checkpoint) > 0);
    return { count: records.length, records: () => records };
  }

  /** Makes the batch that is handed over now: from here on it may be checkpointed. */
  handOver(fetched: FetchedRecords, records: readonly SourceRecord[]): Batch {
    this.#attempts += 1;
    this.fetcher?.begun();
    this.checkpointer.handOver(this.endOf(fetched));
    const end = this.checkpointer.handedOver;
    return makeBatch(fetched, records, this.#attempts, end, this.checkpointer);
  }

  complete(fetched: FetchedRecords): void {
    this.#attempts = 0;
    this.current = undefined;
    this.checkpointer.complete(this.endOf(fetched));
  }

  endOf(fetched: FetchedRecords): Position | undefined {
    if (fetched.lastPosition !== undefined) return fetched.lastPosition;
    const last = fetched.records.at(-1);
    return last && { sequenceNumber: last.sequenceNumber, subSequenceNumber: last.subSequenceNumber };
  }

  close(): void {
    this.checkpointer.close();
    this.fetcher?.close();
    this.fetcher = undefined;
  }
}
