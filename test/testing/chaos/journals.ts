import type { Journal, JournalLine } from "../../../src/testing/chaos/journal.js";

type Without<Kind extends JournalLine["what"], Left extends string> = Omit<
  Extract<JournalLine, { readonly what: Kind }>,
  "what" | Left
>;

/** Writes a journal the way a process does: `belief` begins or extends a stretch, `over` ends it. */
export class Pen {
  readonly #name: string;
  readonly #worker: string;
  readonly #lines: JournalLine[] = [];

  constructor(name: string, worker = `${name}-1`) {
    this.#name = name;
    this.#worker = worker;
  }

  created(at: number): this {
    return this.#add({ what: "event", at, event: { type: "worker-created", workerId: this.#worker } });
  }

  belief(lease: string, epoch: number, at: number, until: number): this {
    return this.#add({ what: "belief", at, worker: this.#worker, lease, epoch, until });
  }

  over(lease: string, epoch: number, at: number): this {
    return this.#add({ what: "belief-over", at, worker: this.#worker, lease, epoch });
  }

  record(lease: string, epoch: number, id: string, times: Without<"record", RecordField>): this {
    return this.#add({ what: "record", ...times, worker: this.#worker, lease, epoch, record: `4${id}`, id });
  }

  refused(lease: string, epoch: number, at: number): this {
    const about = { worker: this.#worker, lease, epoch };
    return this.#add({ what: "refused", at, ...about, write: "sink", code: "late" });
  }

  lateCheckpoint(lease: string, epoch: number, at: number): this {
    return this.#add({ what: "late-checkpoint", at, worker: this.#worker, lease, epoch });
  }

  journal(killedAt?: number): Journal {
    return {
      name: this.#name,
      lines: this.#lines,
      ...(killedAt === undefined ? {} : { killedAt }),
    };
  }

  #add(line: JournalLine): this {
    this.#lines.push(line);
    return this;
  }
}

type RecordField = "worker" | "lease" | "epoch" | "record" | "id";
