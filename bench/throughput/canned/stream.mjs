// The operations of Kinesis that a consumer by polling calls, on a stream without end whose shards never change.
import { blockSize, hashRange, placeOf, sequenceNumber, shardName } from "./records.mjs";
import { formats, Tape } from "./tape.mjs";
import { Moment } from "./wire.mjs";

const account = "000000000000";
/** So many bytes a second at most, that whoever reads has the machine to itself. */
const bytesPerMs = 320_000;
/** However much was read, there is always this much more. */
const millisBehindLatest = 60_000;
const iteratorStart = "AAAAAAAAAAE";
/** The length of real ones. */
const iteratorLength = 224;
const createdAt = new Moment(1_767_139_200_000);

export class Refusal extends Error {
  constructor(type, message) {
    super(message);
    this.type = type;
  }
}

export class CannedStream {
  #name;
  #shards;
  #size;
  #tapes;
  #records;
  #calls = new Map();
  /** When what was answered is paid for. */
  #freeAtMs = 0;

  constructor({ name, shards, recordBytes, recordsPerCall }) {
    this.#name = name;
    this.#shards = shards;
    this.#size = blockSize(recordBytes, recordsPerCall);
    this.#tapes = new Map(formats.map((format) => [format, new Tape(format, recordBytes, this.#size)]));
    this.#records = Array.from({ length: shards }, () => 0);
  }

  /** What was sent so far: the records of every shard, and the calls. */
  counts() {
    return { records: [...this.#records], calls: Object.fromEntries(this.#calls) };
  }

  /**
   * @param use gets the parts of the answer's body, and a function to call when they were sent
   * @throws Refusal
   */
  call(operation, format, request, use) {
    this.#calls.set(operation, (this.#calls.get(operation) ?? 0) + 1);
    if (operation === "GetRecords") {
      this.#getRecords(format, request, use);
      return;
    }
    this.#checkName(request);
    use([format.encode(this.#answer(operation, request))], () => {});
  }

  #answer(operation, request) {
    switch (operation) {
      case "ListShards":
        return this.#listShards(request);
      case "GetShardIterator":
        return { ShardIterator: this.#iterator(this.#shardOf(request.ShardId), this.#start(request)) };
      case "DescribeStreamSummary":
        return { StreamDescriptionSummary: this.#summary() };
      default:
        throw new Refusal("UnknownOperationException", `${operation} is not spoken here`);
    }
  }

  #getRecords(format, { ShardIterator, Limit = 10_000 }, use) {
    const { shard, block, record } = this.#placeOf(ShardIterator);
    const to = Math.min(record + Limit, this.#size);
    const next = to === this.#size ? { block: block + 1, record: 0 } : { block, record: to };
    const iterator = this.#iterator(shard, next);
    this.#tapes
      .get(format)
      .answer({ block, from: record, to, millisBehindLatest, iterator }, (parts, done) => {
        this.#records[shard] += to - record;
        this.#paced(parts, () => use(parts, done));
      });
  }

  #paced(parts, answer) {
    const nowMs = performance.now();
    const atMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = atMs + parts.reduce((sum, { length }) => sum + length, 0) / bytesPerMs;
    if (atMs === nowMs) answer();
    else setTimeout(answer, atMs - nowMs);
  }

  #iterator(shard, { block, record }) {
    const place = [shard, block, record].map((value) => value.toString(16).padStart(8, "0")).join("");
    return `${iteratorStart}${place}`.padEnd(iteratorLength, "A");
  }

  #placeOf(iterator) {
    const place = /^([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{8})A*$/.exec(
      iterator?.slice(iteratorStart.length) ?? "",
    );
    const [shard, block, record] = place?.slice(1).map((digits) => parseInt(digits, 16)) ?? [];
    if (!(shard < this.#shards) || !(record < this.#size)) {
      throw new Refusal("InvalidArgumentException", "this is no iterator of this stream");
    }
    return { shard, block, record };
  }

  #start({ ShardIteratorType: type, StartingSequenceNumber: sequence = "" }) {
    if (type === "TRIM_HORIZON") return { block: 0, record: 0 };
    const place = placeOf(sequence);
    if (place === undefined || !/^(AT|AFTER)_SEQUENCE_NUMBER$/.test(type)) {
      throw new Refusal("InvalidArgumentException", `${type} ${sequence}: this stream has no such place`);
    }
    if (type === "AT_SEQUENCE_NUMBER") return place;
    const isLast = place.record + 1 === this.#size;
    return isLast ? { block: place.block + 1, record: 0 } : { block: place.block, record: place.record + 1 };
  }

  #shardOf(id) {
    const shard = Number(/^shardId-(\d{12})$/.exec(id)?.[1]);
    if (shard < this.#shards) return shard;
    throw new Refusal("ResourceNotFoundException", `the stream has no shard ${id}`);
  }

  #listShards({ NextToken, MaxResults = 1_000 }) {
    const from = NextToken === undefined ? 0 : Number(NextToken);
    const to = Math.min(from + MaxResults, this.#shards);
    const shards = Array.from({ length: to - from }, (_, i) => ({
      ShardId: shardName(from + i),
      HashKeyRange: hashRange(from + i, this.#shards),
      SequenceNumberRange: { StartingSequenceNumber: sequenceNumber({ block: 0, record: 0 }) },
    }));
    return { Shards: shards, NextToken: to < this.#shards ? String(to) : undefined };
  }

  #summary() {
    return {
      StreamName: this.#name,
      StreamARN: `arn:aws:kinesis:us-east-1:${account}:stream/${this.#name}`,
      StreamStatus: "ACTIVE",
      StreamModeDetails: { StreamMode: "PROVISIONED" },
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: createdAt,
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: "NONE",
      OpenShardCount: this.#shards,
      ConsumerCount: 0,
    };
  }

  /** A token of a list stands for the stream. */
  #checkName({ StreamName, StreamARN, NextToken }) {
    const name = StreamName ?? StreamARN?.split("/").at(-1);
    if (name === this.#name || (name === undefined && NextToken !== undefined)) return;
    throw new Refusal("ResourceNotFoundException", `there is no stream ${name}`);
  }
}
