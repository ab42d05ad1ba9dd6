/** The most that one answer brings. */
const answerBytes = 10 * 1_048_576;
/** What is written to a shard in a millisecond, at most: twice Kinesis's limit of 1 MB/s, for bursts. */
const writtenBytesPerMs = 2_000;

/**
 * What a shard's next answer can bring: as much as the last one, or what was written since the moment up to which the last
 * one read. So a shard at rest is expected to bring little, one that is behind or was not read for 5 s a full answer.
 */
export class NextAnswer {
  #lastBytes = 0;
  /** Up to when the shard was read, on the monotonic clock. */
  #readUpToMs = -Infinity;

  /**
   * @param behindMs undefined: the service does not say, there may be anything
   * @param askedAtMs monotonic
   */
  came(bytes: number, behindMs: number | undefined, askedAtMs: number): void {
    this.#lastBytes = bytes;
    this.#readUpToMs = askedAtMs - (behindMs ?? Infinity);
  }

  expectedBytes(nowMs: number): number {
    const written = (nowMs - this.#readUpToMs) * writtenBytesPerMs;
    return Math.max(this.#lastBytes, Math.min(answerBytes, written));
  }
}
