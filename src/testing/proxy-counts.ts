import type { Fate, ProxyRequest } from "./proxy-faults.js";

/** What passed through of one action, since the proxy began or `resetCounts()`. */
export interface ActionCounts {
  /** Requests that came, whatever became of them. */
  readonly requests: number;
  /** Requests that the endpoint answered, lost answers included. */
  readonly applied: number;
  /** Of those: refused conditions. They consume capacity, which the endpoint does not tell. */
  readonly refused: number;
  /** Requests that a fault other than a delay befell. */
  readonly faulted: number;
  /** Consumed capacity, from the endpoint's own answers; 0 unless it is counted. */
  readonly readUnits: number;
  readonly writeUnits: number;
}

type Mutable = { -readonly [Name in keyof ActionCounts]: ActionCounts[Name] };

/** Counts by action. */
export class ProxyCounts {
  readonly #actions = new Map<string, Mutable>();

  get all(): ReadonlyMap<string, ActionCounts> {
    return this.#actions;
  }

  reset(): void {
    this.#actions.clear();
  }

  came({ action }: ProxyRequest, { fault }: Pick<Fate, "fault">): void {
    const counts = this.#of(action);
    counts.requests += 1;
    if (fault !== undefined) counts.faulted += 1;
  }

  answered(request: ProxyRequest, answer: string): void {
    const counts = this.#of(request.action);
    counts.applied += 1;
    const parsed = objectIn(answer);
    if (String(parsed["__type"]).endsWith("ConditionalCheckFailedException")) counts.refused += 1;
    const given: unknown = parsed["ConsumedCapacity"];
    for (const consumed of Array.isArray(given) ? (given as unknown[]) : [given]) {
      const units = unitsIn(consumed);
      if (request.access === "write") counts.writeUnits += units;
      else counts.readUnits += units;
    }
  }

  #of(action: string): Mutable {
    let counts = this.#actions.get(action);
    if (counts === undefined) {
      counts = { requests: 0, applied: 0, refused: 0, faulted: 0, readUnits: 0, writeUnits: 0 };
      this.#actions.set(action, counts);
    }
    return counts;
  }
}

/** A JSON object's fields; none for whatever else the text is. */
export function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function unitsIn(consumed: unknown): number {
  if (typeof consumed !== "object" || consumed === null || !("CapacityUnits" in consumed)) return 0;
  return typeof consumed.CapacityUnits === "number" ? consumed.CapacityUnits : 0;
}
