import type { Note, WorkerRow } from "../model/worker-row.js";
import type { Giving } from "./giving.js";
import { Mailroom } from "./mailroom.js";
import type { Member } from "./member.js";

/**
 * What is done about the entries of the worker's own mailbox: directives go to the giver's side, notes make it look at
 * the row that was handed to it. Entries are acted on from any read of the row, and removed by an early beat once
 * answered.
 */
export class Inbox {
  readonly #member: Member;
  readonly #giving: Giving;
  readonly #mailroom = new Mailroom();
  readonly #onAnswered: () => void;

  constructor(member: Member, giving: Giving, onAnswered: () => void) {
    this.#member = member;
    this.#giving = giving;
    this.#onAnswered = onAnswered;
  }

  deliver(row: WorkerRow, draining: boolean): void {
    for (const { key, entry } of this.#mailroom.deliver(row)) {
      const answered = (): void => {
        this.#mailroom.answer(key);
        this.#onAnswered();
      };
      if (entry.kind === "directive") this.#giving.handle(entry, draining, answered);
      else this.#receive(key, entry, answered);
    }
  }

  acknowledged(row: WorkerRow): void {
    this.#mailroom.acknowledged(row);
    // More than one beat may remove, or answered since it was sent.
    if (this.#mailroom.answeredKeys().length > 0) this.#onAnswered();
  }

  answeredKeys(): readonly string[] {
    return this.#mailroom.answeredKeys();
  }

  sawPlannerEpoch(epoch: number): void {
    this.#giving.sawPlannerEpoch(epoch);
  }

  #receive(key: string, { leaseKey, epoch }: Note, answered: () => void): void {
    const { deps, tenures, tasks, workerId } = this.#member;
    tasks.start(`mail ${key}`, async () => {
      await tenures.lane(leaseKey).receive();
      deps.emit({ type: "note-answered", workerId, leaseKey, epoch });
      answered();
    });
  }
}
