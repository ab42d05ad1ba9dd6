import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  DynamoDBServiceException,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import sinon from "sinon";
import type { Clock } from "../../../src/runtime/clock.js";
import { createDynamoDbStore, type DynamoDbStoreOptions } from "../../../src/store/dynamodb/index.js";
import type { Store } from "../../../src/store/store.js";

export interface Sent {
  readonly command: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A clock on which every wait is over at once. */
export const hurried: Clock = {
  now: () => ({ monoMs: 0, bootMs: 0, wallMs: 0 }),
  monoMs: () => 0,
  wallMs: () => 0,
  setTimer: (_ms, fn) => {
    queueMicrotask(fn);
    return () => {};
  },
};

type Answer = (input: Readonly<Record<string, unknown>>, nth: number) => unknown;

/** A store whose client answers by command name; what it sends is kept. An answer that is an Error is thrown. */
export function stubbed(
  answers: Readonly<Record<string, Answer>>,
  options: Partial<DynamoDbStoreOptions> = {},
): { readonly store: Store; readonly sent: readonly Sent[] } {
  const sent: Sent[] = [];
  const client = new DynamoDBClient({ region: "us-east-1" });
  const send = async (command: { readonly input: object }): Promise<unknown> => {
    const name = command.constructor.name.replace(/Command$/, "");
    const input = command.input as Readonly<Record<string, unknown>>;
    const nth = sent.filter((earlier) => earlier.command === name).length + 1;
    sent.push({ command: name, input });
    const answer = answers[name]?.(input, nth) ?? {};
    if (answer instanceof Error) throw answer;
    return answer;
  };
  sinon.replace(client, "send", send);
  return { store: createDynamoDbStore({ application: "orders", client: () => client, ...options }), sent };
}

/** An error as the SDK throws it for an answer of the service. */
export function serviceError(
  name: string,
  status = 400,
  message = "said the store",
): DynamoDBServiceException {
  return new DynamoDBServiceException({
    name,
    message,
    $fault: status >= 500 ? "server" : "client",
    $metadata: { httpStatusCode: status },
  });
}

/** A refused condition, with or without the row. */
export function refusal(item?: Record<string, AttributeValue>): ConditionalCheckFailedException {
  return new ConditionalCheckFailedException({
    message: "The conditional request failed",
    $metadata: { httpStatusCode: 400 },
    ...(item === undefined ? {} : { Item: item }),
  });
}

/** An error of the socket, as Node throws it. */
export function socketError(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}
