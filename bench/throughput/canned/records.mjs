// The stream's records. All blocks of a shard, and all shards, hold the same data: what differs is the block's number in
// the sequence numbers. So a body is laid out once, and whoever knows a position knows what was to be read before it.

/** What Kinesis gives in one answer at most. */
const answerBytes = 10 * 2 ** 20;
const blockDigits = 8;
const recordDigits = 6;
/** The length of real ones. */
const sequenceDigits = 56;
const prefix = "4966".padEnd(sequenceDigits - blockDigits - recordDigits, "0");
const keys = 1_000;
const firstArrivalMs = 1_767_225_600_000;

/** How many records one answer holds: a block of the stream is what a full answer gives. */
export function blockSize(recordBytes, recordsPerCall) {
  return Math.min(recordsPerCall, Math.floor(answerBytes / recordBytes));
}

export const shardName = (shard) => `shardId-${String(shard).padStart(12, "0")}`;

/** An equal part of all hash keys for each shard. */
export function hashRange(shard, shards) {
  const width = 2n ** 128n / BigInt(shards);
  const end = shard + 1 === shards ? 2n ** 128n : BigInt(shard + 1) * width;
  return { StartingHashKey: String(BigInt(shard) * width), EndingHashKey: String(end - 1n) };
}

/** The data of a block's records one after the other: noise, the same in every run. */
export function blockData(recordBytes, size) {
  const words = new Uint32Array(Math.ceil((recordBytes * size) / 4));
  let state = 0x9e3779b9;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return Buffer.from(words.buffer, 0, recordBytes * size);
}

export const blockText = (block) => String(block).padStart(blockDigits, "0");

/** Every text of a record has one length for all of them. */
export function recordTexts(index) {
  return {
    sequenceStart: prefix,
    sequenceEnd: String(index).padStart(recordDigits, "0"),
    partitionKey: `device-${String(index % keys).padStart(6, "0")}`,
    arrivalMs: firstArrivalMs + index,
  };
}

export function sequenceNumber({ block, record }) {
  return `${prefix}${blockText(block)}${String(record).padStart(recordDigits, "0")}`;
}

/** Undefined where it is none of this stream's. */
export function placeOf(sequence) {
  if (!/^\d+$/.test(sequence) || sequence.length !== sequenceDigits) return undefined;
  const at = sequenceDigits - recordDigits;
  return { block: Number(sequence.slice(at - blockDigits, at)), record: Number(sequence.slice(at)) };
}

/** What the first and the last bytes of a shard's first so many records add up to. */
export function sumsOf(recordBytes, size) {
  const data = blockData(recordBytes, size);
  const sums = [0];
  for (let i = 0; i < size; i++) {
    sums.push(sums[i] + data[i * recordBytes] + data[(i + 1) * recordBytes - 1]);
  }
  return (records) => Math.floor(records / size) * sums[size] + sums[records % size];
}
