import type { MailEntry, Note, WorkerRow } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import { sleep } from "../runtime/clock.js";
import type { FleetDeps } from "./fleet-deps.js";
import { mailKey, mostMailAWrite } from "./mailroom.js";
import type { Tasks } from "./tasks.js";

export interface NotesHooks {
  seen(row: WorkerRow): void;
  /** The target of a handoff is fenced or gone: the ordinary rules for its leases apply, now. */
  targetLost(workerId: string): void;
}

/** Handoffs to the same target within this time share one write. */
const gatherMs = 20;

/**
 * The giver's word to targets that leases were handed to them: one write for all leases given to a target at once. A
 * note is a hint; a target that never gets it finds the row by its reconcile.
 */
export class Notes {
  readonly #deps: FleetDeps;
  readonly #workerId: string;
  readonly #tasks: Tasks;
  readonly #hooks: NotesHooks;
  readonly #queued = new Map<string, Map<string, Note>>();
  /** Posted and, as far as known, unanswered: key → the target and its beat when the post returned. */
  readonly #posted = new Map<string, { readonly target: string; readonly beat: number }>();
  /** Targets whose notes are being gathered or written. */
  readonly #flushing = new Set<string>();
  #flushes = 0;

  constructor(deps: FleetDeps, workerId: string, tasks: Tasks, hooks: NotesHooks) {
    this.#deps = deps;
    this.#workerId = workerId;
    this.#tasks = tasks;
    this.#hooks = hooks;
  }

  add(target: string, leaseKey: string, epoch: number): void {
    const note: Note = { kind: "note", leaseKey, epoch, from: this.#workerId };
    let notes = this.#queued.get(target);
    if (notes === undefined) this.#queued.set(target, (notes = new Map<string, Note>()));
    notes.set(mailKey(note, this.#deps.random.id().slice(0, 8)), note);
    this.#flush(target);
  }

  /** Whether some note has not been answered yet, as far as is known. */
  get pending(): boolean {
    return this.#queued.size > 0 || this.#flushing.size > 0 || this.#posted.size > 0;
  }

  /** Workers whose rows show whether they have answered. */
  awaited(): readonly string[] {
    return [...new Set([...this.#posted.values()].map(({ target }) => target))];
  }

  /**
   * A read of the fleet: an entry is gone only in a row whose beat exceeds the one that its posting returned, or with the
   * row. A row that was not asked for says nothing.
   */
  read(rows: readonly WorkerRow[], asked?: ReadonlySet<string>): void {
    if (this.#posted.size === 0) return;
    const byId = new Map(rows.map((row) => [row.workerId, row]));
    for (const [key, { target, beat }] of this.#posted) {
      if (asked !== undefined && !asked.has(target)) continue;
      const row = byId.get(target);
      if (row === undefined || row.fencedBy !== undefined || (row.beat > beat && !row.mailbox.has(key))) {
        this.#posted.delete(key);
      }
    }
  }

  #flush(target: string): void {
    if (this.#flushing.has(target)) return;
    this.#flushing.add(target);
    this.#flushes += 1;
    // A name of its own: the task before it may be over and not yet forgotten, and these notes would never go out.
    this.#tasks.start(`notes ${target} ${String(this.#flushes)}`, async () => {
      try {
        await sleep(this.#deps.clock, gatherMs);
        for (let notes = this.#next(target); notes !== undefined; notes = this.#next(target)) {
          await this.#post(target, notes);
        }
      } finally {
        this.#flushing.delete(target);
      }
    });
  }

  /** As many of the queued notes as one write may carry. */
  #next(target: string): ReadonlyMap<string, Note> | undefined {
    const queued = this.#queued.get(target);
    if (queued === undefined) return undefined;
    const notes = new Map([...queued].slice(0, mostMailAWrite));
    for (const key of notes.keys()) queued.delete(key);
    if (queued.size === 0) this.#queued.delete(target);
    return notes;
  }

  async #post(target: string, notes: ReadonlyMap<string, Note>): Promise<void> {
    const { clock, random, config, store } = this.#deps;
    const entries: ReadonlyMap<string, MailEntry> = notes;
    const result = await attempts(
      clock,
      random,
      { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.leaseDurationMs },
      // A repeat writes the same keys: posted twice is posted once.
      ({ signal }) => store.membership.post(target, entries, { signal }),
    );
    if (!result.ok) {
      // The rows name the target; it will find them by its reconcile.
      this.#tasks.failed("post-notes", result.error);
      return;
    }
    if (result.value.ok) {
      const { row } = result.value;
      this.#hooks.seen(row);
      for (const key of notes.keys()) this.#posted.set(key, { target, beat: row.beat });
      return;
    }
    if (result.value.current !== undefined) this.#hooks.seen(result.value.current);
    this.#hooks.targetLost(target);
  }
}
