import { LeaseholdError } from "../model/errors.js";
import type { Lease } from "../model/lease.js";
import { comparePositions, formatPosition, samePosition, type Position } from "../model/position.js";
import { isTakenByStranger } from "../model/strangers.js";
import { attempts, type AttemptsResult } from "../runtime/attempts.js";
import type { WriteOutcome } from "../store/call.js";
import type { LaneDeps } from "./lane-deps.js";
import type { CheckpointExtra, Tenure } from "./tenure.js";

/** How often an ambiguous checkpoint is written again after a raise before the tenure is given up. */
const rounds = 3;

/**
 * Writes a checkpoint under the tenure's epoch, compare-and-set against all that the row last held.
 *
 * A write whose outcome is unknown is never assumed: the worker raises its own epoch, after which the late write has
 * either landed or never will, and looks at what the row holds. Until then no later checkpoint goes through.
 * @param raise raises the tenure's epoch; false when it could not, which has ended the tenure
 * @throws LeaseholdError `lease-lost`, `checkpoint-backwards`, `checkpoint-refused`; StoreError when it certainly was not
 * written and may be tried again
 */
export async function writeCheckpoint(
  deps: LaneDeps,
  tenure: Tenure,
  position: Position,
  extra: CheckpointExtra,
  raise: () => Promise<boolean>,
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    if (tenure.remainingMs() <= 0) {
      refused(deps, tenure, position, "ended");
      tenure.assertHeld();
    }
    const order = comparePositions(position, tenure.row.checkpoint);
    if (order === 0) return;
    if (order < 0) {
      throw new LeaseholdError(
        "checkpoint-backwards",
        `checkpoint ${formatPosition(position)} of ${tenure.leaseKey} is behind the last one, ${formatPosition(tenure.row.checkpoint)}; a checkpoint never goes back`,
      );
    }
    const writeId = deps.random.id();
    const result = await attemptWrite(deps, tenure, position, extra, writeId);
    if (!result.ok) {
      if (!result.ambiguous) throw result.error;
      refused(deps, tenure, position, "unknown");
      const before = tenure.row.checkpoint;
      if (!(await raise())) tenure.assertHeld();
      // It had landed after all: there is nothing to write again.
      if (samePosition(position, tenure.row.checkpoint)) {
        accepted(deps, tenure, tenure.row);
        return;
      }
      // Neither the old position nor ours: somebody moved the row by hand, and a forward write would override them.
      if (!samePosition(before, tenure.row.checkpoint)) {
        throw deposed(deps, tenure, position, { ok: false, current: tenure.row });
      }
      continue;
    }
    const row = appliedRow(result.value, writeId, position);
    if (row !== undefined) {
      accepted(deps, tenure, row);
      return;
    }
    throw deposed(deps, tenure, position, result.value);
  }
  tenure.end("store-lost");
  deps.onDoubt(tenure.leaseKey);
  tenure.assertHeld();
}

function attemptWrite(
  deps: LaneDeps,
  tenure: Tenure,
  position: Position,
  extra: CheckpointExtra,
  writeId: string,
): Promise<AttemptsResult<WriteOutcome<Lease>>> {
  const { row } = tenure;
  return attempts(
    deps.clock,
    deps.random,
    {
      attemptTimeoutMs: deps.config.attemptTimeoutMs,
      withinMs: deps.config.leaseDurationMs,
      // Every attempt is a side effect of its own.
      mayTry: () => tenure.remainingMs() > 0,
      onError: deps.onStoreError("checkpoint"),
    },
    ({ signal }) =>
      deps.checkpoints.write(
        {
          leaseKey: tenure.leaseKey,
          owner: deps.workerId,
          epoch: row.epoch,
          expect: { checkpoint: row.checkpoint, pendingCheckpoint: row.pendingCheckpoint },
          checkpoint: position,
          writeId,
          ...(extra.children === undefined ? {} : { children: extra.children }),
          ...(extra.throughputKBps === undefined ? {} : { throughputKBps: extra.throughputKBps }),
        },
        { signal },
      ),
  );
}

function appliedRow(outcome: WriteOutcome<Lease>, writeId: string, position: Position): Lease | undefined {
  if (outcome.ok) return outcome.row;
  const { current } = outcome;
  // Ours by its write id, as it was written: whoever has moved the row by hand since left the id as it was.
  return current?.writeId === writeId && samePosition(position, current.checkpoint) ? current : undefined;
}

function accepted(deps: LaneDeps, tenure: Tenure, row: Lease): void {
  tenure.settle(row);
  deps.onRow(row);
  deps.emit({
    type: "checkpointed",
    workerId: deps.workerId,
    leaseKey: tenure.leaseKey,
    epoch: row.epoch,
    checkpoint: formatPosition(row.checkpoint),
  });
}

/** The store refused: somebody else owns the lease, or somebody moved the row by hand under our own epoch. */
function deposed(
  deps: LaneDeps,
  tenure: Tenure,
  position: Position,
  outcome: WriteOutcome<Lease>,
): LeaseholdError {
  const current = outcome.ok ? outcome.row : outcome.current;
  const ours = current?.owner === deps.workerId && current.epoch === tenure.fencingToken && !current.marked;
  refused(deps, tenure, position, ours ? "moved-by-hand" : "deposed");
  if (current === undefined) deps.onGone(tenure.leaseKey);
  else deps.onRow(current);
  tenure.end(current !== undefined && isTakenByStranger(current) ? "foreign" : "lease-lost");
  // A row still ours is begun anew by a raise, from the checkpoint that it holds now.
  if (ours) deps.onDoubt(tenure.leaseKey);
  return new LeaseholdError(
    "checkpoint-refused",
    ours
      ? `checkpoint ${formatPosition(position)} of ${tenure.leaseKey} was refused: its row was changed by hand to ${formatPosition(current.checkpoint)}; the partition starts again from there`
      : `checkpoint ${formatPosition(position)} of ${tenure.leaseKey} was refused: the lease belongs to ${current?.owner ?? "nobody"} at epoch ${String(current?.epoch ?? 0)}, not to this worker at epoch ${String(tenure.fencingToken)}; the new owner redoes the work`,
  );
}

function refused(
  deps: LaneDeps,
  tenure: Tenure,
  position: Position,
  reason: "deposed" | "moved-by-hand" | "unknown" | "ended",
): void {
  deps.emit({
    type: "checkpoint-refused",
    workerId: deps.workerId,
    leaseKey: tenure.leaseKey,
    epoch: tenure.fencingToken,
    checkpoint: formatPosition(position),
    reason,
  });
}
