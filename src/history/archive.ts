import type { ProtocolConfig } from "../model/config.js";
import { retentionMs } from "../model/config.js";
import type { LeaseholdEvent } from "../model/events.js";
import { entryToArchive, type HistoryEntry } from "../model/history.js";
import type { Lease } from "../model/lease.js";
import type { OperatorAction } from "../model/operator-action.js";
import { attempts } from "../runtime/attempts.js";
import type { Clock } from "../runtime/clock.js";
import type { Random } from "../runtime/random.js";
import type { HistoryStore } from "../store/history-store.js";

export interface ArchiveDeps {
  readonly history: HistoryStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly config: ProtocolConfig;
}

/**
 * Puts the row's previous tenure into the history, before a write that raises the row's counter (protocol, "History").
 * A repeat, however late, is harmless. A row that shows no previous tenure has nothing to archive.
 * @param signal ends the call
 * @returns what was archived
 * @throws StoreError when it is not certain that the entry stands in the history: then the counter must not be raised
 */
export async function archivePrevious(
  deps: ArchiveDeps,
  lease: Lease,
  signal?: AbortSignal,
): Promise<HistoryEntry | undefined> {
  const entry = entryToArchive(lease);
  if (entry !== undefined) await archiveEntry(deps, entry, signal);
  return entry;
}

/**
 * Puts an operator's action into the history. A repeat, however late, is harmless.
 * @throws StoreError when it is not certain that it stands there
 */
export async function recordAction(deps: ArchiveDeps, action: OperatorAction): Promise<void> {
  await surely(deps, (expiresAt, signal) => deps.history.record(action, expiresAt, { signal }));
}

/**
 * Puts one finished tenure into the history, within one lease duration.
 * @throws StoreError when it is not certain that it stands there
 */
export async function archiveEntry(
  deps: ArchiveDeps,
  entry: HistoryEntry,
  signal?: AbortSignal,
): Promise<void> {
  await surely(
    deps,
    (expiresAt, attempt) => deps.history.archive(entry, expiresAt, { signal: attempt }),
    signal,
  );
}

/** What a worker tells when it has archived a tenure. */
export function archivedEvent(workerId: string, entry: HistoryEntry): LeaseholdEvent {
  const { leaseKey, epoch, worker, reason, endedBy } = entry;
  return {
    type: "history-archived",
    workerId,
    leaseKey,
    epoch,
    ...(worker === undefined ? {} : { owner: worker }),
    how: reason,
    ...(endedBy === undefined ? {} : { endedBy }),
  };
}

/** Until when a row beside the history is kept, unix seconds: for the store's time to live. */
export function keptUntil(clock: Clock): number {
  // It counts in whole seconds of the wall clock; a clock set wrong only drops history early or late.
  return Math.ceil((clock.now().wallMs + retentionMs) / 1_000);
}

async function surely(
  { clock, random, config }: ArchiveDeps,
  write: (expiresAt: number, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const expiresAt = keptUntil(clock);
  const result = await attempts(
    clock,
    random,
    {
      attemptTimeoutMs: config.attemptTimeoutMs,
      withinMs: config.leaseDurationMs,
      ...(signal === undefined ? {} : { signal }),
    },
    (attempt) => write(expiresAt, attempt.signal),
  );
  if (!result.ok) throw result.error;
}
