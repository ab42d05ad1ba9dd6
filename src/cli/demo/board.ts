import type { LeaseholdEvent } from "../../index.js";

/** Who owns a lease, as far as its workers have said. */
export interface Owned {
  readonly leaseKey: string;
  readonly workerId: string;
  readonly label: string;
  readonly epoch: number;
  readonly isHeld: boolean;
}

/** Ends that are told by what follows them. */
const plannedEnds: ReadonlySet<string> = new Set(["handoff", "stop", "partition-ended"]);

/** Who owns what, put together from what the workers report. */
export class Board {
  readonly #owners = new Map<string, Owned>();
  readonly #finished = new Set<string>();
  readonly #joins = new Map<string, number>();
  readonly #onChange: (text: string) => void;
  #moves = 0;
  #refusedCheckpoints = 0;

  /** @param onChange told of every change in a line for people */
  constructor(onChange: (text: string) => void) {
    this.#onChange = onChange;
  }

  /** Changes of owner, first owners not counted. */
  get moves(): number {
    return this.#moves;
  }

  /** Checkpoints refused because another owner's epoch, or the end of the tenure, was in their way. */
  get refusedCheckpoints(): number {
    return this.#refusedCheckpoints;
  }

  /** How often the process under each label has joined the fleet as a new worker. */
  get joins(): ReadonlyMap<string, number> {
    return this.#joins;
  }

  /** Every lease seen, in the order of their keys. */
  all(): readonly Owned[] {
    return [...this.#owners.values()].sort((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1));
  }

  isFinished(leaseKey: string): boolean {
    return this.#finished.has(leaseKey);
  }

  /** What the processes under a label hold and have not finished. */
  heldBy(label: string): readonly Owned[] {
    return this.all().filter(
      (owned) => owned.label === label && owned.isHeld && !this.isFinished(owned.leaseKey),
    );
  }

  isHeld(leaseKey: string): boolean {
    return this.#owners.get(leaseKey)?.isHeld === true;
  }

  hear(label: string, event: LeaseholdEvent): void {
    switch (event.type) {
      case "tenure-began":
        this.#began(label, event);
        return;
      case "tenure-ended": {
        const owned = this.#owners.get(event.leaseKey);
        if (owned?.workerId !== event.workerId || owned.epoch > event.epoch) return;
        this.#owners.set(event.leaseKey, { ...owned, isHeld: false });
        if (!plannedEnds.has(event.reason)) {
          this.#onChange(`${shardName(event.leaseKey)}: ${label} lost it (${event.reason})`);
        }
        return;
      }
      case "partition-ended":
        this.#finished.add(event.leaseKey);
        this.#onChange(
          `${shardName(event.leaseKey)} ended; it goes on as ${event.children.map(shardName).join(", ")}`,
        );
        return;
      case "checkpoint-refused":
        this.#refusedCheckpoints++;
        this.#onChange(
          `${shardName(event.leaseKey)}: a late checkpoint of ${label} was refused (${event.reason})`,
        );
        return;
      case "worker-created":
        this.#joins.set(label, (this.#joins.get(label) ?? 0) + 1);
        this.#onChange(`${label} joined as ${event.workerId}`);
        return;
      case "worker-ended":
        this.#onChange(`${label}: worker ${event.workerId} ended (${event.reason})`);
        return;
      case "fenced":
        this.#onChange(`${label} fenced the silent ${event.victim}`);
        return;
      default:
    }
  }

  #began(label: string, event: Extract<LeaseholdEvent, { type: "tenure-began" }>): void {
    const { leaseKey, workerId, epoch } = event;
    const before = this.#owners.get(leaseKey);
    // Channels of two processes are read in any order: the epoch tells which is the later.
    if (before !== undefined && before.epoch > epoch) return;
    if (before !== undefined && before.workerId !== workerId) this.#moves++;
    this.#owners.set(leaseKey, { leaseKey, workerId, label, epoch, isHeld: true });
    this.#onChange(
      `${shardName(leaseKey)}: ${before === undefined ? "" : `${before.label} -> `}${label} (${event.how})`,
    );
  }
}

/** `shardId-000000000003` as people say it. */
export function shardName(leaseKey: string): string {
  return leaseKey.replace(/^shardId-0*(?=\d)/, "shard ");
}
