import { checkApplication } from "./model/config.js";
import { LeaseholdError } from "./model/errors.js";
import type { HistoryEntry } from "./model/history.js";
import {
  lastsBeyond,
  tenureAt,
  tenuresOf,
  type LeaseRecord,
  type PastTenure,
} from "./model/history-series.js";
import { verifyHistory, type HistoryProblem } from "./model/history-verify.js";
import type { OperatorAction } from "./model/operator-action.js";
import { answerOf, remedies } from "./runtime/attempts.js";
import type { Clock } from "./runtime/clock.js";
import type { Random } from "./runtime/random.js";
import { systemClock, systemRandom } from "./runtime/system.js";
import { createDynamoDbStore } from "./store/dynamodb/index.js";
import type { Store } from "./store/store.js";
import type { DynamoDbOptions } from "./worker.js";

/** What is asked of a history; what is left out restricts nothing. */
export interface HistoryQuestion {
  /** Only this lease. It alone is read then; without it the whole history is. */
  readonly lease?: string;
  /** Only what this worker held, and what was done to it. */
  readonly worker?: string;
  /** Only what was so at this instant: of each lease one epoch at most, one that nobody held included. */
  readonly at?: Date;
  /** Only what lasted beyond this instant. */
  readonly since?: Date;
  /** Told after each page of a whole history: how many entries were read so far. */
  readonly onProgress?: (entries: number) => void;
}

/** All times are the writers' wall clocks, ISO 8601: for people, and no better than those clocks were. */
export interface HistoryAnswer {
  readonly application: string;
  /** By lease, then by epoch. */
  readonly tenures: readonly PastTenure[];
  /** What operators did to the workers in question. */
  readonly actions: readonly OperatorAction[];
}

export interface HistoryVerdict {
  readonly application: string;
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  /** How many leases and epochs were looked at. */
  readonly leases: number;
  readonly epochs: number;
  readonly problems: readonly HistoryProblem[];
}

const attemptTimeoutMs = 10_000;

/** Answers who held what when, from the rows and the history of an application; writes nothing. */
export class FleetHistory {
  readonly #application: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(application: string, store: Store, clock: Clock = systemClock, random: Random = systemRandom) {
    this.#application = application;
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * The tenures of a lease or a worker, who held a lease at an instant, what a worker held then.
   * @throws LeaseholdError `invalid-option` (an instant that is none), `table-missing`, `lease-missing` (there never was such
   * a lease, as far as is kept), `invalid-row`; StoreError
   */
  async ask(question: HistoryQuestion = {}): Promise<HistoryAnswer> {
    const { worker } = question;
    const atMs = instant("at", question.at);
    const sinceMs = instant("since", question.since);
    const records = await this.#read(question);
    const tenures = records
      .map(tenuresOf)
      .flatMap((all) => (atMs === undefined ? all : (tenureAt(all, atMs) ?? [])))
      .filter((tenure) => worker === undefined || tenure.worker === worker)
      .filter((tenure) => sinceMs === undefined || lastsBeyond(tenure, sinceMs));
    const held = new Set(tenures.map((tenure) => tenure.worker));
    const isAsked = (action: OperatorAction): boolean =>
      (worker === undefined || action.worker === worker) &&
      (question.lease === undefined || held.has(action.worker)) &&
      (sinceMs === undefined || Date.parse(action.at) >= sinceMs);
    const actions = atMs === undefined ? await this.#actions() : [];
    return { application: this.#application, tenures, actions: actions.filter(isAsked) };
  }

  /**
   * Holds the history against its rule: every lease's epochs are contiguous, from its creation to its deletion mark or to
   * the row's present one, and each ended by what the next began with.
   * @throws LeaseholdError `table-missing`, `lease-missing`, `invalid-row`; StoreError
   */
  async verify(question: Pick<HistoryQuestion, "lease" | "onProgress"> = {}): Promise<HistoryVerdict> {
    const records = await this.#read(question);
    const { wallMs } = this.#clock.now();
    const problems = records.flatMap((record) => verifyHistory(record, wallMs));
    return {
      application: this.#application,
      ok: problems.length === 0,
      leases: records.length,
      epochs: records.reduce((sum, record) => sum + tenuresOf(record).length, 0),
      problems,
    };
  }

  close(): void {
    this.#store.close();
  }

  async #read(question: Pick<HistoryQuestion, "lease" | "onProgress">): Promise<readonly LeaseRecord[]> {
    await this.#ask("verify the tables", (signal) => this.#store.tables.verify({ signal }));
    const { lease, onProgress } = question;
    return lease === undefined ? this.#readAll(onProgress) : [await this.#readOne(lease)];
  }

  /** Row first, then history: whatever changes in between is in the history by then, and nothing falls between the two. */
  async #readOne(leaseKey: string): Promise<LeaseRecord> {
    const { leases, history } = this.#store;
    const row = await this.#ask(`read lease ${leaseKey}`, (signal) =>
      leases.get(leaseKey, { consistent: true, signal }),
    );
    const entries = await this.#ask(`read the history of ${leaseKey}`, (signal) =>
      history.list(leaseKey, { signal }),
    );
    if (row === undefined && entries.length === 0) {
      throw new LeaseholdError(
        "lease-missing",
        `application ${this.#application} has neither a row nor a history of lease ${JSON.stringify(leaseKey)}; leasehold status lists the leases that there are`,
      );
    }
    return { leaseKey, row, entries };
  }

  async #readAll(onProgress: HistoryQuestion["onProgress"]): Promise<readonly LeaseRecord[]> {
    const scan = await this.#ask("scan the leases", (signal) =>
      this.#store.leases.scan({ consistent: true, signal }),
    );
    const [unreadable] = scan.invalid;
    if (unreadable !== undefined) {
      throw new LeaseholdError(
        "invalid-row",
        `row ${JSON.stringify(unreadable.leaseKey)} cannot be read as a lease: ${unreadable.problem}; set it right by hand, or ask for single leases`,
      );
    }
    const entries = new Map<string, HistoryEntry[]>(scan.leases.map(({ leaseKey }) => [leaseKey, []]));
    let from: string | undefined;
    let count = 0;
    do {
      const place = from;
      const page = await this.#ask("scan the history", (signal) =>
        this.#store.history.page(place, { signal }),
      );
      for (const entry of page.entries) {
        const list = entries.get(entry.leaseKey);
        if (list === undefined) entries.set(entry.leaseKey, [entry]);
        else list.push(entry);
      }
      count += page.entries.length;
      from = page.next;
      if (from !== undefined) onProgress?.(count);
    } while (from !== undefined);
    const rows = new Map(scan.leases.map((lease) => [lease.leaseKey, lease]));
    return [...entries]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([leaseKey, list]) => ({
        leaseKey,
        row: rows.get(leaseKey),
        entries: list.sort((a, b) => a.epoch - b.epoch),
      }));
  }

  #actions(): Promise<readonly OperatorAction[]> {
    return this.#ask("list what operators did", (signal) => this.#store.history.actions({ signal }));
  }

  #ask<T>(doing: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const unanswered = { call: doing, remedy: remedies.operator };
    const limits = { attemptTimeoutMs, withinMs: attemptTimeoutMs, unanswered };
    return answerOf(this.#clock, this.#random, limits, ({ signal }) => call(signal));
  }
}

/**
 * Opens an application's history for reading.
 * @throws LeaseholdError `invalid-application`
 */
export function openHistory(options: {
  readonly application: string;
  readonly dynamodb?: DynamoDbOptions;
}): FleetHistory {
  const application = checkApplication(options.application);
  return new FleetHistory(
    application,
    createDynamoDbStore({ ...options.dynamodb, application, clock: systemClock }),
  );
}

function instant(name: string, value: Date | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = value instanceof Date ? value.getTime() : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new LeaseholdError("invalid-option", `${name} is ${String(value)}: it must be a Date that is one`);
}
