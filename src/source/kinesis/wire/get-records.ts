import {
  GetRecordsCommand,
  type _Record,
  type GetRecordsCommandOutput,
  type GetRecordsInput,
  type KinesisClient,
} from "@aws-sdk/client-kinesis";
import type { SourceRecord, SourceRuntime } from "../../partition-source.js";
import type { Wire } from "../options.js";
import { ownMemory, UsedAgain } from "./body-memory.js";
import { sourceRecord } from "./decoded.js";
import { FormatChoice } from "./format-choice.js";
import { MadeRecords, type SealedRecords } from "./sealed-records.js";
import { RecordsExchange, takenOut, type Reading, type WithTaken } from "./records-exchange.js";

export interface RecordsAnswer {
  readonly records: SealedRecords;
  /** All else that the service said. */
  readonly output: Omit<GetRecordsCommandOutput, "Records">;
}

export interface GetRecordsOptions {
  readonly wire: Wire;
  /** Whether a payload that is kept keeps a piece of its answer at most, where else it would keep the whole. */
  readonly copy: boolean;
  /** Told once, with why, when the client goes on with JSON. */
  readonly onFallback: (why: string) => void;
  readonly clock: Pick<SourceRuntime["clock"], "monoMs">;
  readonly random: Pick<SourceRuntime["random"], "next">;
}

/** GetRecords by the SDK's own client, with its credentials, retries, endpoints and errors; the records are read for less. */
export class GetRecords {
  readonly #client: KinesisClient;
  readonly #options: GetRecordsOptions;
  readonly #reading: Reading;
  readonly #choice: FormatChoice;

  constructor(client: KinesisClient, options: GetRecordsOptions) {
    this.#client = client;
    this.#options = options;
    this.#reading = {
      memories: options.copy ? new UsedAgain() : ownMemory,
      copy: options.copy,
      firstPlace: Math.floor(options.random.next() * 2 ** 52),
    };
    this.#choice = new FormatChoice(options.wire === "json");
  }

  /** @throws what the SDK throws, and for an answer without records: none may pass for an empty one */
  async send(input: GetRecordsInput, abortSignal: AbortSignal): Promise<RecordsAnswer> {
    const { wire, clock, onFallback } = this.#options;
    const ask = async (exchange?: RecordsExchange): Promise<RecordsAnswer> => {
      const command = new GetRecordsCommand(input);
      exchange?.addTo(command);
      return answerOf(await this.#client.send(command, { abortSignal }));
    };
    const askJson = () => ask(new RecordsExchange("json", this.#reading));
    if (wire === "sdk") return ask();
    if (this.#choice.keepsJson) return askJson();
    const place = input.ShardIterator ?? "";
    let failure = this.#choice.takeUnread(place);
    if (failure === undefined) {
      const sentMs = clock.monoMs();
      const exchange = new RecordsExchange("cbor", this.#reading);
      try {
        const answer = await ask(exchange);
        if (exchange.hasReadCbor) this.#choice.cborWorked();
        return answer;
      } catch (error) {
        ({ failure } = exchange);
        if (failure === undefined) throw error;
        if (!this.#choice.cborFailed(failure, place, sentMs, clock.monoMs())) throw error;
      }
    }
    // The same call once more: a place in a shard may be read as often as one likes.
    const answer = await askJson().catch((error: unknown) => {
      this.#choice.jsonFailed();
      throw error;
    });
    if (this.#choice.jsonWorked(failure)) {
      onFallback(`records come as JSON and no more as CBOR, because ${failure.why}`);
    }
    return answer;
  }
}

function answerOf(given: GetRecordsCommandOutput & WithTaken): RecordsAnswer {
  const { Records, [takenOut]: taken, ...output } = given;
  if (taken !== undefined) return { records: taken, output };
  // A client may answer without any wire, too, as in users' tests.
  if (Records === undefined) throw new Error("Kinesis answered without records");
  return { records: new MadeRecords(Records.map(recordOf)), output };
}

function recordOf(record: _Record): SourceRecord {
  return sourceRecord(
    record.Data,
    record.PartitionKey ?? "",
    record.SequenceNumber,
    record.ApproximateArrivalTimestamp?.getTime(),
  );
}
