import {
  GetRecordsCommand,
  type _Record,
  type GetRecordsCommandOutput,
  type GetRecordsInput,
  type KinesisClient,
} from "@aws-sdk/client-kinesis";
import type { SourceRecord } from "../../partition-source.js";
import type { Wire } from "../options.js";
import { sourceRecord } from "./decoded.js";
import { RecordsExchange } from "./records-exchange.js";
import { Scratch } from "./scratch.js";

export interface RecordsAnswer {
  readonly records: readonly SourceRecord[];
  /** Of all payloads together. */
  readonly bytes: number;
  /** All else that the service said. */
  readonly output: Omit<GetRecordsCommandOutput, "Records">;
}

export interface GetRecordsOptions {
  readonly wire: Wire;
  /** Whether a payload that is kept keeps a piece of its answer at most, where else it would keep the whole. */
  readonly copy: boolean;
  /** Told once, with why, when the client goes on with JSON. */
  readonly onFallback: (why: string) => void;
}

/** So many answers in a row that could not be read are no accident of the network. */
const brokenAtMost = 3;
const noBytes = new Uint8Array(0);

/** GetRecords by the SDK's own client, with its credentials, retries, endpoints and errors; the records are read for less. */
export class GetRecords {
  readonly #client: KinesisClient;
  readonly #options: GetRecordsOptions;
  readonly #scratch: Scratch | undefined;
  #takesCbor: boolean;
  /** Whether the service has ever answered a request in CBOR. */
  #hasAnsweredCbor = false;
  /** Answers in a row that could not be read. */
  #broken = 0;

  constructor(client: KinesisClient, options: GetRecordsOptions) {
    this.#client = client;
    this.#options = options;
    this.#scratch = options.copy ? new Scratch() : undefined;
    this.#takesCbor = options.wire === "auto";
  }

  /** @throws what the SDK throws, and for an answer without records: none may pass for an empty one */
  async send(input: GetRecordsInput, abortSignal: AbortSignal): Promise<RecordsAnswer> {
    const { wire } = this.#options;
    const scratch = this.#scratch;
    const send = async (exchange?: RecordsExchange): Promise<RecordsAnswer> => {
      const command = new GetRecordsCommand(input);
      exchange?.addTo(command);
      return answerOf(await this.#client.send(command, { abortSignal }), exchange);
    };
    if (wire === "sdk") return send();
    if (!this.#takesCbor) return send(new RecordsExchange("json", scratch));
    const exchange = new RecordsExchange("cbor", scratch);
    let refusal: string | undefined;
    try {
      const answer = await send(exchange);
      this.#hasAnsweredCbor = true;
      this.#broken = 0;
      return answer;
    } catch (error) {
      if (exchange.broken !== undefined) this.#cannotRead(exchange.broken);
      refusal = this.#refusal(exchange);
      if (refusal === undefined) throw error;
    }
    // The same call once more: a place in a shard may be read as often as one likes. What fails as JSON too was no refusal.
    const answer = await send(new RecordsExchange("json", scratch));
    this.#fallBack(refusal);
    return answer;
  }

  #refusal({ error }: RecordsExchange): string | undefined {
    return error?.isDoubtful === true && this.#hasAnsweredCbor ? undefined : error?.refusal;
  }

  #cannotRead(why: string): void {
    this.#broken++;
    if (this.#broken >= brokenAtMost) this.#fallBack(why);
  }

  #fallBack(why: string): void {
    // Several shards may have found out at one time.
    if (!this.#takesCbor) return;
    this.#takesCbor = false;
    this.#options.onFallback(`records come as JSON and no more as CBOR, because ${why}`);
  }
}

function answerOf(output: GetRecordsCommandOutput, exchange: RecordsExchange | undefined): RecordsAnswer {
  const { Records, ...rest } = output;
  const decoded = exchange?.decoded;
  if (decoded !== undefined) return { records: decoded.records, bytes: decoded.bytes, output: rest };
  // A client may answer without any wire, too, as in users' tests.
  if (Records === undefined) throw new Error("Kinesis answered without records");
  const records = Records.map(recordOf);
  return { records, bytes: records.reduce((sum, { data }) => sum + data.length, 0), output: rest };
}

function recordOf(record: _Record): SourceRecord {
  return sourceRecord(
    record.Data ?? noBytes,
    record.PartitionKey ?? "",
    record.SequenceNumber ?? "",
    record.ApproximateArrivalTimestamp?.getTime(),
  );
}
