import { recordAction } from "./history/archive.js";
import { checkApplication, resolveProtocol, type ProtocolConfig } from "./model/config.js";
import { LeaseholdError } from "./model/errors.js";
import { actionIn } from "./model/operator-action.js";
import type { WorkerRow } from "./model/worker-row.js";
import { answerOf, remedies } from "./runtime/attempts.js";
import { wallTime, type Clock } from "./runtime/clock.js";
import type { Random } from "./runtime/random.js";
import { systemClock, systemRandom } from "./runtime/system.js";
import { createDynamoDbStore } from "./store/dynamodb/index.js";
import type { WriteOutcome } from "./store/call.js";
import type { Store } from "./store/store.js";
import type { DynamoDbOptions } from "./worker.js";

export interface OperatorOptions {
  /** The application's name, as its workers have it. */
  readonly application: string;
  /** Who acts, as the worker's row and the history show it: 1 to 100 characters, `user@host` say. */
  readonly operator: string;
  /**
   * The `leaseDurationMs` of the fleet's workers, from which the forecast in an answer is computed; nothing else rests on
   * it. Default: 10,000.
   */
  readonly leaseDurationMs?: number;
  /** How DynamoDB is reached. Default: the SDK's usual environment and config files. */
  readonly dynamodb?: DynamoDbOptions;
}

/** What became of a fence by an operator. */
export interface ForcedFence {
  readonly application: string;
  readonly workerId: string;
  /** Who fenced it. */
  readonly by: string;
  /** Wall time, ISO 8601, for people. */
  readonly at: string;
  /** The leases that named it just after. It hands over what it can; the rest is taken from it. */
  readonly leases: readonly string[];
  /**
   * From now until the last of them may be taken by others, in ms: T after each worker's own first read of the fence, and a
   * round to read it and one to act. What the fenced worker hands over is elsewhere sooner.
   */
  readonly freeWithinMs: number;
}

export interface OperatorParts {
  readonly operator: string;
  readonly config: ProtocolConfig;
  readonly clock: Clock;
  readonly random: Random;
}

/** A row stays below 1,000 bytes, an operator's name included. */
const longestName = 100;
const attemptTimeoutMs = 10_000;

/** What an operator does to a fleet by hand. */
export class Operator {
  readonly #application: string;
  readonly #store: Store;
  readonly #parts: OperatorParts;

  constructor(application: string, store: Store, parts: OperatorParts) {
    this.#application = application;
    this.#store = store;
    this.#parts = parts;
  }

  /**
   * Fences a worker whatever it does: it never beats again, hands over what it believes in for as long as it does, and its
   * process comes back as a new worker. For a worker that lives and does wrong; one that has died is fenced by the others.
   * @throws LeaseholdError `table-missing`, `worker-missing` (no such worker; the message names those that there are),
   * `worker-fenced` (it is, already); nothing was written then. StoreError: the fence may stand, and is found by another try.
   */
  async fence(workerId: string): Promise<ForcedFence> {
    const { operator, config, clock } = this.#parts;
    await this.#ask("verify the tables", (signal) => this.#store.tables.verify({ signal }));
    const { workers } = await this.#ask("read the fleet", (signal) =>
      this.#store.membership.readFleet({ consistent: true, signal }),
    );
    const row = workers.find((one) => one.workerId === workerId);
    if (row === undefined) throw this.#unknown(workerId, workers);
    if (row.fencedBy !== undefined) throw alreadyFenced(row);
    const at = wallTime(clock);
    const outcome = await this.#ask(`fence ${workerId}`, (signal) =>
      this.#store.membership.forceFence(workerId, operator, at, { signal }),
    );
    const fenced = fencedRow(outcome);
    if (fenced === undefined) throw this.#unknown(workerId, workers);
    // A repeat is refused on the fence that the first try, without an answer, had set.
    if (fenced.fencedBy !== operator || fenced.fencedAt !== at) throw alreadyFenced(fenced);
    // Everybody looks at the fleet now; who does not see this sees the fence at the next poll.
    await this.#ask("tell the planner", (signal) => this.#store.plannerDesk.countDeath({ signal }));
    // After the fence, never before: nothing goes into the history that has not happened. Whoever removes the row does it
    // too, should this process die here.
    const action = actionIn(fenced);
    if (action !== undefined) await recordAction({ ...this.#parts, history: this.#store.history }, action);
    const { leases } = await this.#ask("scan the leases", (signal) =>
      this.#store.leases.scan({ consistent: true, signal }),
    );
    return {
      application: this.#application,
      workerId,
      by: operator,
      at,
      leases: leases.flatMap(({ owner, leaseKey }) => (owner === workerId ? [leaseKey] : [])).sort(),
      freeWithinMs: config.expiryMs + 2 * config.pollIntervalMs,
    };
  }

  close(): void {
    this.#store.close();
  }

  #unknown(workerId: string, workers: readonly WorkerRow[]): LeaseholdError {
    const alive = workers.filter(({ fencedBy }) => fencedBy === undefined).map((row) => row.workerId);
    const known =
      alive.length === 0 ? "it has no worker that is not fenced" : `it has ${alive.sort().join(", ")}`;
    return new LeaseholdError(
      "worker-missing",
      `application ${this.#application} has no worker ${workerId}: ${known}`,
    );
  }

  #ask<T>(doing: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, random } = this.#parts;
    const unanswered = { call: doing, remedy: remedies.operator };
    const limits = { attemptTimeoutMs, withinMs: attemptTimeoutMs, unanswered };
    return answerOf(clock, random, limits, ({ signal }) => call(signal));
  }
}

/**
 * Opens an application to act on it by hand.
 * @throws LeaseholdError `invalid-application`, `invalid-option`
 */
export function openOperator(options: OperatorOptions): Operator {
  const application = checkApplication(options.application);
  const operator = checkOperator(options.operator);
  const { leaseDurationMs } = options;
  const config = resolveProtocol(leaseDurationMs === undefined ? {} : { leaseDurationMs });
  const store = createDynamoDbStore({ ...options.dynamodb, application, clock: systemClock });
  return new Operator(application, store, { operator, config, clock: systemClock, random: systemRandom });
}

function checkOperator(operator: unknown): string {
  if (typeof operator === "string" && operator.trim() !== "" && operator.length <= longestName)
    return operator;
  const shown =
    typeof operator === "string" ? JSON.stringify(operator) : `a value of type ${typeof operator}`;
  throw new LeaseholdError(
    "invalid-option",
    `operator is ${shown}: it must be 1 to ${String(longestName)} characters that say who acts, as in ann@ops`,
  );
}

function fencedRow(outcome: WriteOutcome<WorkerRow>): WorkerRow | undefined {
  return outcome.ok ? outcome.row : outcome.current;
}

function alreadyFenced({ workerId, fencedBy, fenceKind, fencedAt }: WorkerRow): LeaseholdError {
  const how =
    fenceKind === "left"
      ? "it has left by itself"
      : `${String(fencedBy)} fenced it${fencedAt === undefined ? "" : ` at ${fencedAt}`}${fenceKind === undefined ? "" : ` (${fenceKind})`}`;
  return new LeaseholdError(
    "worker-fenced",
    `worker ${workerId} is fenced already: ${how}; its leases go to others by themselves, see leasehold status`,
  );
}
