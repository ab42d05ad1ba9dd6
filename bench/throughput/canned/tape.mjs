// The bodies of GetRecords in one format, ready to be sent. They are laid out once, every record as long as the next: any
// run of them is one range of bytes, and another block is the same body with other digits in its sequence numbers.
import { blockData, blockText, recordTexts } from "./records.mjs";
import { cbor11, cborHead, cborText, json } from "./wire.mjs";

/** With more at the same time a slow reader gets a little of each, and some shard may have no whole answer for minutes. */
const answersAtMost = 16;

/** How a batch looks in each format: its begin, a record before and behind its block's number, and its end. */
const layouts = {
  json: {
    record(data, { sequenceStart, sequenceEnd, partitionKey, arrivalMs }) {
      const arrival = `${Math.floor(arrivalMs / 1_000)}.${String(arrivalMs % 1_000).padStart(3, "0")}`;
      const before = `{"ApproximateArrivalTimestamp":${arrival},"Data":"${data.toString("base64")}","PartitionKey":"${partitionKey}","SequenceNumber":"${sequenceStart}`;
      return [Buffer.from(before), Buffer.from(`${sequenceEnd}"},`)];
    },
    begin: (millisBehindLatest, iterator) =>
      Buffer.from(
        `{"MillisBehindLatest":${millisBehindLatest},"NextShardIterator":"${iterator}","Records":[`,
      ),
    /** Of the last record's bytes: its comma. */
    lessAtEnd: 1,
    end: Buffer.from("]}"),
  },
  cbor: {
    record(data, { sequenceStart, sequenceEnd, partitionKey, arrivalMs }) {
      const sequence = sequenceStart.length + blockText(0).length + sequenceEnd.length;
      const before = [
        cborHead(5, 4),
        cborText("ApproximateArrivalTimestamp"),
        cborHead(6, 1),
        cborHead(0, arrivalMs),
        cborText("Data"),
        cborHead(2, data.length),
        data,
        cborText("PartitionKey"),
        cborText(partitionKey),
        cborText("SequenceNumber"),
        cborHead(3, sequence),
        Buffer.from(sequenceStart),
      ];
      return [Buffer.concat(before), Buffer.from(sequenceEnd)];
    },
    begin: (millisBehindLatest, iterator, records) =>
      Buffer.concat([
        cborHead(5, 3),
        cborText("MillisBehindLatest"),
        cborHead(0, millisBehindLatest),
        cborText("NextShardIterator"),
        cborText(iterator),
        cborText("Records"),
        cborHead(4, records),
      ]),
    lessAtEnd: 0,
    end: Buffer.alloc(0),
  },
};

export class Tape {
  #layout;
  #template;
  #stride;
  /** Where in a record its block's number begins. */
  #digitsAt;
  /** Each with the block that it is now, and how many answers of it are being sent. */
  #bodies = [];
  #underWay = 0;
  /** First come, first served. */
  #waiting = [];

  constructor(format, recordBytes, size) {
    this.#layout = layouts[format.name];
    const data = blockData(recordBytes, size);
    for (let i = 0; i < size; i++) {
      const bytes = data.subarray(i * recordBytes, (i + 1) * recordBytes);
      const [before, behind] = this.#layout.record(bytes, recordTexts(i));
      const record = Buffer.concat([before, Buffer.from(blockText(0)), behind]);
      this.#template ??= Buffer.alloc(record.length * size);
      this.#stride = record.length;
      this.#digitsAt = before.length;
      record.copy(this.#template, i * record.length);
    }
  }

  /**
   * The parts of an answer with a block's records from one up to another; `use` is called with them when it is their turn,
   * and calls `done` when they were sent.
   */
  answer(what, use) {
    this.#waiting.push([what, use]);
    this.#serve();
  }

  #serve() {
    while (this.#underWay < answersAtMost && this.#waiting.length > 0) this.#send(...this.#waiting.shift());
  }

  #send({ block, from, to, millisBehindLatest, iterator }, use) {
    const { begin, end, lessAtEnd } = this.#layout;
    const body = this.#bodyOf(block);
    const records = body.bytes.subarray(from * this.#stride, to * this.#stride - lessAtEnd);
    body.users++;
    this.#underWay++;
    use([begin(millisBehindLatest, iterator, to - from), records, end], () => {
      body.users--;
      this.#underWay--;
      this.#serve();
    });
  }

  /** What is on its way must not change: the same block shares its body, another takes one that nobody uses. */
  #bodyOf(block) {
    const same = this.#bodies.find((body) => body.block === block);
    if (same !== undefined) return same;
    let body = this.#bodies.find(({ users }) => users === 0);
    if (body === undefined) {
      body = { bytes: Buffer.from(this.#template), block: 0, users: 0 };
      this.#bodies.push(body);
    }
    this.#renumber(body, block);
    return body;
  }

  /** Only the digits that differ: mostly the last. */
  #renumber(body, block) {
    const [old, digits] = [blockText(body.block), blockText(block)];
    let first = 0;
    while (first < digits.length && old[first] === digits[first]) first++;
    const codes = Buffer.from(digits);
    const { bytes } = body;
    for (let at = this.#digitsAt; at < bytes.length; at += this.#stride) {
      for (let i = first; i < codes.length; i++) bytes[at + i] = codes[i];
    }
    body.block = block;
  }
}

export const formats = [json, cbor11];
