import type { ProtocolConfig } from "../model/config.js";
import type { HistoryEntry } from "../model/history.js";
import type { Lease, NewLease } from "../model/lease.js";
import type { Reading } from "../model/reading.js";
import type { EndReason, FenceKind, TenureReason } from "../model/reasons.js";
import { attempts } from "../runtime/attempts.js";
import { wallTime, type Clock } from "../runtime/clock.js";
import type { Random } from "../runtime/random.js";
import type { HistoryStore } from "../store/history-store.js";
import type { Ownership, TenureChange } from "../store/ownership.js";
import { archivePrevious } from "./archive.js";

export interface ChangeDeps {
  readonly ownership: Ownership;
  readonly history: HistoryStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly config: ProtocolConfig;
}

/** What a change of tenure makes of a lease row. */
export interface ChangeRequest {
  /** The row as read: its epoch, owner and mark are what the write expects. */
  readonly lease: Lease;
  /** The owner from now on; undefined for nobody. */
  readonly owner: string | undefined;
  readonly reason: TenureReason;
  readonly cause?: EndReason | FenceKind;
  readonly wornOut?: boolean;
  readonly mark?: boolean;
  readonly recreate?: NewLease;
  /** Time for all attempts together, in ms. Default: one lease duration. */
  readonly withinMs?: number;
  /** Told of the previous tenure once it stands in the history, before anything is written to the row. */
  readonly onArchived?: (entry: HistoryEntry) => void;
  /** Asked before every attempt. */
  readonly mayTry?: () => boolean;
  /** Called once, just before the first attempt of the write itself is sent, after the history was archived. */
  readonly onSend?: () => void;
  readonly onError?: (error: unknown) => void;
}

export type ChangeOutcome =
  | { readonly outcome: "applied"; readonly row: Lease; readonly firstSentAt: Reading }
  | { readonly outcome: "refused"; readonly current: Lease | undefined }
  /** Perhaps applied, perhaps to be applied yet: neither may be assumed. */
  | { readonly outcome: "unknown"; readonly error: unknown }
  /** Certainly not applied, and no attempt of it is under way. */
  | { readonly outcome: "not-sent"; readonly error: unknown };

/**
 * The one way by which an epoch is raised: archives the row's previous tenure first, then writes under the epoch read,
 * rotating present to previous (protocol, "History"). Repeats carry the same write id, so that a refusal caused by our
 * own earlier attempt is told from somebody else's doing (protocol, "Writes whose outcome is unknown").
 */
export async function changeTenure(deps: ChangeDeps, request: ChangeRequest): Promise<ChangeOutcome> {
  const { clock, random, config } = deps;
  try {
    const archived = await archivePrevious(deps, request.lease);
    if (archived !== undefined) request.onArchived?.(archived);
  } catch (error) {
    // Nothing was written to the lease row: whoever wants the change asks again.
    request.onError?.(error);
    return { outcome: "not-sent", error };
  }
  const change = changeOf(request, random.id(), wallTime(clock));
  let sent = false;
  const result = await attempts(
    clock,
    random,
    {
      attemptTimeoutMs: config.attemptTimeoutMs,
      withinMs: request.withinMs ?? config.leaseDurationMs,
      ...(request.mayTry === undefined ? {} : { mayTry: request.mayTry }),
      ...(request.onError === undefined ? {} : { onError: request.onError }),
    },
    ({ signal }) => {
      if (!sent) request.onSend?.();
      sent = true;
      return deps.ownership.change(change, { signal });
    },
  );
  if (!result.ok) return { outcome: result.ambiguous ? "unknown" : "not-sent", error: result.error };
  const outcome = result.value;
  if (outcome.ok) return { outcome: "applied", row: outcome.row, firstSentAt: result.firstSentAt };
  const { current } = outcome;
  if (current?.writeId === change.writeId)
    return { outcome: "applied", row: current, firstSentAt: result.firstSentAt };
  return { outcome: "refused", current };
}

function changeOf(request: ChangeRequest, writeId: string, since: string): TenureChange {
  const { lease, owner, reason, cause } = request;
  return {
    leaseKey: lease.leaseKey,
    expect: { epoch: lease.epoch, owner: lease.owner, marked: lease.marked },
    tenure: {
      epoch: lease.epoch + 1,
      reason,
      since,
      ...(owner === undefined ? {} : { worker: owner }),
      ...(cause === undefined ? {} : { cause }),
      // Said, so that a first epoch that was lost is told from one that never was.
      ...(lease.tenure === undefined ? { first: true as const } : {}),
    },
    previousTenure: lease.tenure,
    writeId,
    wornOut: request.wornOut ?? false,
    switchesOwner: owner !== undefined && lease.owner !== undefined && owner !== lease.owner,
    ...(request.mark === undefined ? {} : { mark: request.mark }),
    ...(request.recreate === undefined ? {} : { recreate: request.recreate }),
  };
}
