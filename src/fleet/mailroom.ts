import type { Directive, MailEntry, Note, WorkerRow } from "../model/worker-row.js";

/**
 * The most mailbox entries that one write adds or removes. The store refuses an expression of more than 4 KB, which some
 * 200 entries fill, for good: a beat that would remove more could never be sent.
 */
export const mostMailAWrite = 100;

/**
 * The worker's own mailbox: which entries are new, being handled, answered and not yet removed from the row.
 *
 * An entry is answered once; a read that still shows it, because the removing beat has not passed or the read is stale,
 * delivers nothing again.
 */
export class Mailroom {
  readonly #handling = new Set<string>();
  readonly #answered = new Set<string>();
  #lastBeat = 0;

  /** The entries that nobody has begun to handle; they count as being handled from now on. */
  deliver(row: WorkerRow): readonly { readonly key: string; readonly entry: MailEntry }[] {
    // A read that shows a lower beat than the last acknowledged one is older than what the beat returned.
    if (row.beat < this.#lastBeat) return [];
    const fresh: { key: string; entry: MailEntry }[] = [];
    for (const [key, entry] of row.mailbox) {
      if (this.#handling.has(key) || this.#answered.has(key)) continue;
      this.#handling.add(key);
      fresh.push({ key, entry });
    }
    return fresh;
  }

  /** A beat was acknowledged: what its row no longer shows is gone for good. */
  acknowledged(row: WorkerRow): void {
    this.#lastBeat = row.beat;
    for (const key of this.#answered) if (!row.mailbox.has(key)) this.#answered.delete(key);
  }

  answer(key: string): void {
    this.#handling.delete(key);
    this.#answered.add(key);
  }

  /** To be removed by the next beat: the oldest, where there are too many for one. */
  answeredKeys(): readonly string[] {
    return [...this.#answered].slice(0, mostMailAWrite);
  }
}

/** The key of a mailbox entry: kind, lease, epoch and something random, so that no two entries ever share one. */
export function mailKey(entry: Directive | Note, random: string): string {
  return `${entry.kind}#${entry.leaseKey}#${String(entry.epoch)}#${random}`;
}
