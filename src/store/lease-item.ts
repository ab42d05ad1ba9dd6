import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Lease, TenureRecord } from "../model/lease.js";
import { position, type Position } from "../model/position.js";
import { endReasons, fenceKinds, tenureReasons } from "../model/reasons.js";
import { kclEntities, type KclRow } from "../model/strangers.js";

/**
 * A lease row as it is stored, in DynamoDB's own form. Names and types are the Java KCL's, so that both can read them;
 * `tenure`, `previousTenure`, `writeId` and `ownersWornOut` stand beside them and are ours.
 */
export type LeaseItem = Readonly<Record<string, AttributeValue>>;

/** `entityType` of a lease; a row without one is a lease too. */
export const leaseEntity = "LEASE";
/** `entityType` of a lease marked deleted. */
export const deletedLeaseEntity = "DELETED_LEASE";

/** Every attribute that this version knows in a lease row; it never touches another. */
export const leaseAttributes: ReadonlySet<string> = new Set([
  "leaseKey",
  "leaseOwner",
  "leaseCounter",
  "ownerSwitchesSinceCheckpoint",
  "checkpoint",
  "checkpointSubSequenceNumber",
  "pendingCheckpoint",
  "pendingCheckpointSubSequenceNumber",
  "pendingCheckpointState",
  "parentShardId",
  "childShardIds",
  "startingHashKey",
  "endingHashKey",
  "throughputKBps",
  "checkpointOwner",
  "entityType",
  "tenure",
  "previousTenure",
  "writeId",
  "ownersWornOut",
]);

/** What a row of the lease table turned out to be. */
export type ReadLeaseItem =
  | { readonly kind: "lease"; readonly lease: Lease }
  | { readonly kind: "invalid"; readonly leaseKey: string; readonly problem: string }
  /** A row that tells whether a Java KCL fleet lives. */
  | { readonly kind: "kcl"; readonly row: KclRow }
  /** Another row of the Java KCL, or of somebody else, that is no lease. */
  | { readonly kind: "other" };

/** A row says that it is a lease and cannot be read as one. */
class Unreadable extends Error {}

/**
 * Reads a row. Rows of other `entityType`s are `kcl` or `other`; what says it is a lease and has no readable counter or
 * checkpoint is `invalid`, with a sentence that names attribute, value and what it must be.
 */
export function readLeaseItem(item: LeaseItem): ReadLeaseItem {
  const entity = item["entityType"]?.S;
  const leaseKey = item["leaseKey"]?.S ?? "";
  if (entity !== undefined && entity !== leaseEntity && entity !== deletedLeaseEntity) {
    const entityType = kclEntities.find((known) => known === entity);
    return entityType === undefined
      ? { kind: "other" }
      : { kind: "kcl", row: { leaseKey, entityType, state: stateOf(item) } };
  }
  try {
    return { kind: "lease", lease: leaseOf(leaseKey, item, entity === deletedLeaseEntity) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { kind: "invalid", leaseKey, problem: error.message };
  }
}

/** A row's whole content as one text: stores return attributes in any order, and sets too. */
function stateOf(item: LeaseItem): string {
  return JSON.stringify(item, (_, value: unknown) => {
    if (value instanceof Uint8Array) return [...value];
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function leaseOf(leaseKey: string, item: LeaseItem, marked: boolean): Lease {
  const owner = text(item["leaseOwner"]);
  const startingHashKey = text(item["startingHashKey"]);
  const endingHashKey = text(item["endingHashKey"]);
  const checkpointOwner = text(item["checkpointOwner"]);
  const writeId = text(item["writeId"]);
  const throughput = item["throughputKBps"]?.N;
  const throughputKBps = throughput === undefined ? undefined : Number(throughput);
  const pendingCheckpoint = positionOf(
    "pendingCheckpoint",
    item["pendingCheckpoint"],
    item["pendingCheckpointSubSequenceNumber"],
  );
  // The KCL has a bug by which it stores a number here: what is not binary is no state.
  const pendingState = item["pendingCheckpointState"]?.B;
  const tenure = tenureOf(item["tenure"]);
  const previousTenure = tenureOf(item["previousTenure"]);
  const checkpoint = positionOf("checkpoint", item["checkpoint"], item["checkpointSubSequenceNumber"]);
  if (checkpoint === undefined) throw new Unreadable("it has no checkpoint");
  return {
    leaseKey,
    epoch: integer("leaseCounter", item["leaseCounter"]),
    checkpoint,
    ownerSwitchesSinceCheckpoint: integer(
      "ownerSwitchesSinceCheckpoint",
      item["ownerSwitchesSinceCheckpoint"],
      0,
    ),
    ownersWornOut: integer("ownersWornOut", item["ownersWornOut"], 0),
    parents: item["parentShardId"]?.SS?.toSorted() ?? [],
    children: item["childShardIds"]?.SS?.toSorted() ?? [],
    marked,
    ...(owner === undefined ? {} : { owner }),
    ...(pendingCheckpoint === undefined ? {} : { pendingCheckpoint }),
    ...(pendingState === undefined ? {} : { pendingCheckpointState: pendingState }),
    ...(startingHashKey === undefined ? {} : { startingHashKey }),
    ...(endingHashKey === undefined ? {} : { endingHashKey }),
    ...(throughputKBps === undefined || !Number.isFinite(throughputKBps) ? {} : { throughputKBps }),
    ...(checkpointOwner === undefined ? {} : { checkpointOwner }),
    ...(tenure === undefined ? {} : { tenure }),
    ...(previousTenure === undefined ? {} : { previousTenure }),
    ...(writeId === undefined ? {} : { writeId }),
  };
}

function text(value: AttributeValue | undefined): string | undefined {
  return value?.S;
}

function integer(name: string, value: AttributeValue | undefined, fallback?: number): number {
  if (value === undefined && fallback !== undefined) return fallback;
  const number = value?.N === undefined ? undefined : Number(value.N);
  if (number === undefined || !Number.isSafeInteger(number) || number < 0) {
    throw new Unreadable(`${name} is ${show(value)}: it must be an integer from 0 up`);
  }
  return number;
}

function positionOf(
  name: string,
  sequence: AttributeValue | undefined,
  sub: AttributeValue | undefined,
): Position | undefined {
  if (sequence === undefined) return undefined;
  if (sequence.S === undefined) throw new Unreadable(`${name} is ${show(sequence)}: it must be a string`);
  const subNumber = integer(`${name}SubSequenceNumber`, sub, 0);
  try {
    return position(sequence.S, subNumber);
  } catch (error) {
    const rule = error instanceof Error ? error.message.replace(/^checkpoint is .*?: /, "") : "";
    throw new Unreadable(`${name} is ${JSON.stringify(sequence.S)}: ${rule}`);
  }
}

function show(value: AttributeValue | undefined): string {
  return value === undefined ? "missing" : JSON.stringify(value);
}

/** A tenure map. One that cannot be read counts as none: the lease's history then starts over, visibly. */
function tenureOf(value: AttributeValue | undefined): TenureRecord | undefined {
  const map = value?.M;
  const epoch = Number(map?.["epoch"]?.N);
  const reason = oneOf(tenureReasons, map?.["reason"]?.S);
  if (map === undefined || !Number.isSafeInteger(epoch) || reason === undefined) return undefined;
  const worker = map["worker"]?.S;
  const cause = oneOf([...endReasons, ...fenceKinds], map["cause"]?.S);
  return {
    epoch,
    reason,
    since: map["since"]?.S ?? "",
    ...(worker === undefined ? {} : { worker }),
    ...(cause === undefined ? {} : { cause }),
    ...(map["first"]?.BOOL === true ? { first: true } : {}),
  };
}

function oneOf<T extends string>(known: readonly T[], value: string | undefined): T | undefined {
  return known.find((entry) => entry === value);
}

/** A tenure as a map. */
export function tenureValue(tenure: TenureRecord): AttributeValue {
  return {
    M: {
      epoch: { N: String(tenure.epoch) },
      reason: { S: tenure.reason },
      since: { S: tenure.since },
      ...(tenure.worker === undefined ? {} : { worker: { S: tenure.worker } }),
      ...(tenure.cause === undefined ? {} : { cause: { S: tenure.cause } }),
      ...(tenure.first === undefined ? {} : { first: { BOOL: true } }),
    },
  };
}

/** A lease as a whole row, in the attributes that this version knows. Writers of rows update, they never put this. */
export function leaseItem(lease: Lease): LeaseItem {
  const pending = lease.pendingCheckpoint;
  const item: Record<string, AttributeValue> = {
    leaseKey: { S: lease.leaseKey },
    leaseCounter: { N: String(lease.epoch) },
    checkpoint: { S: lease.checkpoint.sequenceNumber },
    checkpointSubSequenceNumber: { N: String(lease.checkpoint.subSequenceNumber) },
    ownerSwitchesSinceCheckpoint: { N: String(lease.ownerSwitchesSinceCheckpoint) },
    ownersWornOut: { N: String(lease.ownersWornOut) },
  };
  const set = (name: string, value: AttributeValue | undefined): void => {
    if (value !== undefined) item[name] = value;
  };
  const string = (value: string | undefined): AttributeValue | undefined =>
    value === undefined ? undefined : { S: value };
  set("leaseOwner", string(lease.owner));
  set("pendingCheckpoint", string(pending?.sequenceNumber));
  set("pendingCheckpointSubSequenceNumber", pending && { N: String(pending.subSequenceNumber) });
  set("pendingCheckpointState", lease.pendingCheckpointState && { B: lease.pendingCheckpointState });
  // An empty set cannot be stored.
  set("parentShardId", lease.parents.length === 0 ? undefined : { SS: [...lease.parents] });
  set("childShardIds", lease.children.length === 0 ? undefined : { SS: [...lease.children] });
  set("startingHashKey", string(lease.startingHashKey));
  set("endingHashKey", string(lease.endingHashKey));
  set("throughputKBps", lease.throughputKBps === undefined ? undefined : { N: String(lease.throughputKBps) });
  set("checkpointOwner", string(lease.checkpointOwner));
  set("tenure", lease.tenure && tenureValue(lease.tenure));
  set("previousTenure", lease.previousTenure && tenureValue(lease.previousTenure));
  set("writeId", string(lease.writeId));
  if (lease.marked) set("entityType", { S: deletedLeaseEntity });
  return item;
}

/** What an error about an unreadable row says: which row, what is wrong with it, what to do. */
export function invalidRowMessage(table: string, leaseKey: string, problem: string): string {
  return (
    `row ${JSON.stringify(leaseKey)} of table ${table} cannot be read as a lease: ${problem}; ` +
    `set the attribute right by hand, or delete the row to start the partition over`
  );
}
