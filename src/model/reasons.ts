/**
 * How a tenure began, or what else raised a lease's epoch. Stored in the row's `tenure` map and in the history.
 *
 * - `created`, `recreated`: the row was made, or made again after a deletion mark; nobody owns it yet.
 * - `taken`: taken while nobody owned it. `taken-from-fenced`: taken from a fenced worker.
 * - `handoff`: passed on by its owner. `released`: given back by its owner; nobody owns it.
 * - `resumed`: begun anew by its owner after its belief had lapsed. `raised`: begun anew after a write of unknown outcome.
 * - `deleted`: marked deleted.
 */
export const tenureReasons = [
  "created",
  "recreated",
  "taken",
  "taken-from-fenced",
  "handoff",
  "released",
  "resumed",
  "raised",
  "deleted",
] as const;
export type TenureReason = (typeof tenureReasons)[number];

/**
 * Why a tenure ended, as the processor hears it and as the row's `tenure.cause` records it.
 *
 * Only `partition-ended`, `handoff` and `stop` come after a drain, with a last checkpoint; after the others the
 * processor may no longer checkpoint. `foreign`: somebody who is no worker of the fleet changed the lease row, a Java KCL
 * worker most likely.
 */
export const endReasons = [
  "partition-ended",
  "handoff",
  "stop",
  "lease-lost",
  "fenced",
  "stuck",
  "silent",
  "failed",
  "store-lost",
  "foreign",
] as const;
export type EndReason = (typeof endReasons)[number];

/**
 * How a worker was ended for ever: by an observer, by itself, by its parent process, or by an operator's word (`forced`),
 * which alone proves no silence: the worker may go on until its belief ends, and its leases are free only T later.
 */
export const fenceKinds = ["observer", "left", "parent", "forced"] as const;
export type FenceKind = (typeof fenceKinds)[number];

/** Why a worker's incarnation ended. */
export const incarnationEnds = [
  "left",
  "fenced",
  "row-missing",
  "tombstone",
  "table-missing",
  "failed",
] as const;
export type IncarnationEnd = (typeof incarnationEnds)[number];
