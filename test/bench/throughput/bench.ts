/** A module of the bench's, which is JavaScript. */
export const urlOf = (file: string): string =>
  new URL(`../../../bench/throughput/${file}`, import.meta.url).href;
export const bench = (file: string): Promise<unknown> => import(urlOf(file));

/** What a subject has read of a shard without a gap. */
export interface Read {
  readonly shardId: string;
  readonly start: number;
  readonly records: number;
  readonly sum: number;
}

export interface Records {
  sequenceNumber(place: object): string;
  placeOf(sequence: string): { readonly block: number; readonly record: number };
  sumsOf(recordBytes: number, size: number): (records: number) => number;
}
