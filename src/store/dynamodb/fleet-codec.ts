import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { HistoryEntry } from "../../model/history.js";
import type { OperatorAction } from "../../model/operator-action.js";
import { endReasons, fenceKinds, tenureReasons } from "../../model/reasons.js";
import {
  tombstoneBeat,
  type FleetRows,
  type MailEntry,
  type MetaRow,
  type PlannerRow,
  type WorkerIdentity,
  type WorkerRow,
  type WorkerStatus,
} from "../../model/worker-row.js";
import { emptyWorkerRow } from "../empty-worker-row.js";
import type { Item, Key } from "./connection.js";
import { newlyNamed } from "./row-names.js";

/*
 * The fleet table. Keys `pk` and `sk` are strings.
 *
 * | pk                   | sk                     | attributes                                                                  |
 * |----------------------|------------------------|-----------------------------------------------------------------------------|
 * | `fleet`              | `worker#<workerId>`    | `beat` N; `fencedBy` S, `fenceKind` S once fenced, `fencedAt` S by an       |
 * |                      |                        | operator; `mailbox` M of entries                                            |
 * |                      |                        | with each beat: `draining`, `joining`, `blind` BOOL, `leases`, `weight`,    |
 * |                      |                        | `utilisation` N; `unfit`, `failing` L of S where not empty; `planner` M     |
 * |                      |                        | {epoch, tick} N while it is the planner                                     |
 * |                      |                        | from others: `observes` SS of marks, `observesEpoch` N                      |
 * |                      |                        | at creation: `join`, `maxConcurrentBatches`, `readsFormat`, `pid` N,        |
 * |                      |                        | `host`, `startedAt` S, `deployment` S where labelled, `maxLeases` N where   |
 * |                      |                        | bounded                                                                     |
 * | `fleet`              | `planner`              | `owner` S, `epoch` N, `deaths` N                                            |
 * | `fleet`              | `meta`                 | `liveness` S, `format` N, `joins` N; `kclNote` S once a KCL's rows stood    |
 * |                      |                        | still: digests of 8 hex digits, a hundred at most                           |
 * | `history#<leaseKey>` | epoch, 16 digits       | `leaseKey` S, `epoch` N, `worker`, `reason`, `cause`, `since`, `until`,     |
 * |                      |                        | `endedBy`, `endCause` S, `expiresAt` N (unix seconds, time to live);        |
 * |                      |                        | `first` BOOL where the row showed no tenure before; no `endedBy` of a mark  |
 * |                      |                        | whose row was to go                                                         |
 * | `history#<leaseKey>` | `set-aside`            | `epoch`, `expiresAt` N: the highest epoch that a first creation has used    |
 * | `operator`           | `fence#<workerId>`     | `action`, `worker`, `by`, `at` S, `expiresAt` N: what an operator did       |
 *
 * Names are those of `formatNumber`; `row-names.ts` says what they were called before.
 *
 * A mailbox entry is a map: `kind` S, `leaseKey` S, `epoch` N, and `target` S, `plannerEpoch` N (directive) or
 * `from` S (note). A worker row with an empty mailbox stays below 1,000 bytes: above 1 KB every beat costs double.
 */

const workerPrefix = "worker#";

export const plannerKey: Key = fleetKey("planner");
export const metaKey: Key = fleetKey("meta");

function fleetKey(sk: string): Key {
  return { pk: { S: "fleet" }, sk: { S: sk } };
}

export function workerKey(workerId: string): Key {
  return fleetKey(`${workerPrefix}${workerId}`);
}

export function historyPartition(leaseKey: string): string {
  return `history#${leaseKey}`;
}

export function historyKey(leaseKey: string, epoch: number): Key {
  // Padded, so that the order of the keys is the order of the epochs; 16 digits hold every exact integer.
  return { pk: { S: historyPartition(leaseKey) }, sk: { S: String(epoch).padStart(16, "0") } };
}

/** After the epochs, which are digits: beside the entries, and none of them. */
export function setAsideKey(leaseKey: string): Key {
  return { pk: { S: historyPartition(leaseKey) }, sk: { S: "set-aside" } };
}

export function setAsideIn(item: Item): number | undefined {
  return numberOf(item["epoch"]);
}

const number = (value: number): AttributeValue => ({ N: String(value) });

/** A status as attributes; undefined for those that the row must not have. */
export function statusAttributes(status: WorkerStatus): Readonly<Record<string, AttributeValue | undefined>> {
  return {
    draining: { BOOL: status.draining },
    joining: { BOOL: status.joining },
    blind: { BOOL: status.blind },
    leases: number(status.leases),
    weight: number(status.weight),
    utilisation: number(status.utilisation),
    unfit: keyList(status.unfit),
    failing: keyList(status.failing),
    planner:
      status.planner === undefined
        ? undefined
        : { M: { epoch: number(status.planner.epoch), tick: number(status.planner.tick) } },
  };
}

export function identityAttributes(
  identity: WorkerIdentity,
): Readonly<Record<string, AttributeValue | undefined>> {
  return {
    deployment: identity.deployment === undefined ? undefined : { S: identity.deployment },
    join: number(identity.join),
    maxLeases: identity.maxLeases === undefined ? undefined : number(identity.maxLeases),
    maxConcurrentBatches: number(identity.maxConcurrentBatches),
    readsFormat: number(identity.readsFormat),
    host: { S: identity.host },
    pid: number(identity.pid),
    startedAt: { S: identity.startedAt },
  };
}

export function mailValue(entry: MailEntry): AttributeValue {
  const common = { kind: { S: entry.kind }, leaseKey: { S: entry.leaseKey }, epoch: number(entry.epoch) };
  return entry.kind === "directive"
    ? { M: { ...common, target: { S: entry.target }, plannerEpoch: number(entry.plannerEpoch) } }
    : { M: { ...common, from: { S: entry.from } } };
}

/** An entry of a kind that this version does not know is nothing that it could answer: undefined. */
function mailEntryOf(value: AttributeValue): MailEntry | undefined {
  const map = value.M ?? {};
  const leaseKey = map["leaseKey"]?.S;
  const epoch = numberOf(map["epoch"]);
  if (leaseKey === undefined || epoch === undefined) return undefined;
  const target = map["target"]?.S;
  const plannerEpoch = numberOf(map["plannerEpoch"]);
  const from = map["from"]?.S;
  if (map["kind"]?.S === "directive" && target !== undefined && plannerEpoch !== undefined) {
    return { kind: "directive", leaseKey, epoch, target, plannerEpoch };
  }
  if (map["kind"]?.S === "note" && from !== undefined) return { kind: "note", leaseKey, epoch, from };
  return undefined;
}

function numberOf(value: AttributeValue | undefined): number | undefined {
  if (value?.N === undefined) return undefined;
  const found = Number(value.N);
  return Number.isFinite(found) ? found : undefined;
}

/** Reads a worker's row; undefined when the row is none. What it lacks reads as in a row that no worker wrote. */
export function workerIn(stored: Item): WorkerRow | undefined {
  const sk = stored["sk"]?.S;
  if (sk?.startsWith(workerPrefix) !== true) return undefined;
  const item = newlyNamed("worker", stored);
  const empty = emptyWorkerRow(sk.slice(workerPrefix.length), numberOf(item["beat"]) ?? tombstoneBeat);
  const deployment = item["deployment"]?.S;
  const maxLeases = numberOf(item["maxLeases"]);
  const fencedBy = item["fencedBy"]?.S;
  const fenceKind = fenceKinds.find((kind) => kind === item["fenceKind"]?.S);
  const fencedAt = item["fencedAt"]?.S;
  const planner = item["planner"]?.M;
  const marks = item["observes"]?.SS;
  const observesEpoch = numberOf(item["observesEpoch"]);
  const mailbox = new Map<string, MailEntry>();
  for (const [key, value] of Object.entries(item["mailbox"]?.M ?? {})) {
    const entry = mailEntryOf(value);
    if (entry !== undefined) mailbox.set(key, entry);
  }
  return {
    ...empty,
    draining: item["draining"]?.BOOL ?? empty.draining,
    joining: item["joining"]?.BOOL ?? empty.joining,
    blind: item["blind"]?.BOOL ?? empty.blind,
    leases: numberOf(item["leases"]) ?? empty.leases,
    weight: numberOf(item["weight"]) ?? empty.weight,
    utilisation: numberOf(item["utilisation"]) ?? empty.utilisation,
    unfit: keysIn(item["unfit"]),
    failing: keysIn(item["failing"]),
    join: numberOf(item["join"]) ?? empty.join,
    maxConcurrentBatches: numberOf(item["maxConcurrentBatches"]) ?? empty.maxConcurrentBatches,
    readsFormat: numberOf(item["readsFormat"]) ?? empty.readsFormat,
    host: item["host"]?.S ?? empty.host,
    pid: numberOf(item["pid"]) ?? empty.pid,
    startedAt: item["startedAt"]?.S ?? empty.startedAt,
    mailbox,
    ...(deployment === undefined ? {} : { deployment }),
    ...(maxLeases === undefined ? {} : { maxLeases }),
    ...(planner === undefined
      ? {}
      : { planner: { epoch: numberOf(planner["epoch"]) ?? 0, tick: numberOf(planner["tick"]) ?? 0 } }),
    ...(marks === undefined && observesEpoch === undefined
      ? {}
      : { observes: { plannerEpoch: observesEpoch ?? 0, marks: (marks ?? []).toSorted() } }),
    ...(fencedBy === undefined ? {} : { fencedBy }),
    ...(fenceKind === undefined ? {} : { fenceKind }),
    ...(fencedAt === undefined ? {} : { fencedAt }),
  };
}

export function plannerIn(item: Item): PlannerRow {
  const owner = item["owner"]?.S;
  return {
    epoch: numberOf(item["epoch"]) ?? 0,
    deaths: numberOf(item["deaths"]) ?? 0,
    ...(owner === undefined ? {} : { owner }),
  };
}

export function metaIn(item: Item): MetaRow {
  const kclNote = item["kclNote"]?.S;
  return {
    liveness: item["liveness"]?.S ?? "",
    format: numberOf(item["format"]) ?? 0,
    joins: numberOf(item["joins"]) ?? 0,
    ...(kclNote === undefined ? {} : { kclNote }),
  };
}

/** Sorts the rows of the fleet; rows that this version does not know are left out. */
export function fleetIn(items: readonly Item[]): FleetRows {
  const workers: WorkerRow[] = [];
  let planner: PlannerRow | undefined;
  let meta: MetaRow | undefined;
  for (const item of items) {
    const worker = workerIn(item);
    if (worker !== undefined) workers.push(worker);
    else if (item["sk"]?.S === "planner") planner = plannerIn(item);
    else if (item["sk"]?.S === "meta") meta = metaIn(item);
  }
  return { workers, planner, meta };
}

export function historyItem(entry: HistoryEntry, expiresAt: number): Item {
  const item: Item = {
    ...historyKey(entry.leaseKey, entry.epoch),
    leaseKey: { S: entry.leaseKey },
    epoch: number(entry.epoch),
    reason: { S: entry.reason },
    since: { S: entry.since },
    until: { S: entry.until },
    expiresAt: number(expiresAt),
  };
  if (entry.worker !== undefined) item["worker"] = { S: entry.worker };
  if (entry.cause !== undefined) item["cause"] = { S: entry.cause };
  if (entry.endedBy !== undefined) item["endedBy"] = { S: entry.endedBy };
  if (entry.endCause !== undefined) item["endCause"] = { S: entry.endCause };
  if (entry.first !== undefined) item["first"] = { BOOL: true };
  return item;
}

const causes = [...endReasons, ...fenceKinds];

/** Reads a finished tenure; undefined when the row is none, or of a kind that this version does not know. */
export function historyIn(item: Item): HistoryEntry | undefined {
  const leaseKey = item["leaseKey"]?.S;
  const epoch = numberOf(item["epoch"]);
  const reason = tenureReasons.find((known) => known === item["reason"]?.S);
  const ended = item["endedBy"]?.S;
  const endedBy = tenureReasons.find((known) => known === ended);
  if (leaseKey === undefined || epoch === undefined || reason === undefined || endedBy !== ended) {
    return undefined;
  }
  const worker = item["worker"]?.S;
  const cause = causes.find((known) => known === item["cause"]?.S);
  const endCause = causes.find((known) => known === item["endCause"]?.S);
  return {
    leaseKey,
    epoch,
    reason,
    since: item["since"]?.S ?? "",
    until: item["until"]?.S ?? "",
    ...(endedBy === undefined ? {} : { endedBy }),
    ...(worker === undefined ? {} : { worker }),
    ...(cause === undefined ? {} : { cause }),
    ...(endCause === undefined ? {} : { endCause }),
    ...(item["first"]?.BOOL === true ? { first: true } : {}),
  };
}

/** An operator's actions have a partition of their own: no lease's history and no epoch can meet them. */
export const operatorPartition = "operator";

export function actionItem({ action, worker, by, at }: OperatorAction, expiresAt: number): Item {
  return {
    pk: { S: operatorPartition },
    sk: { S: `${action}#${worker}` },
    action: { S: action },
    worker: { S: worker },
    by: { S: by },
    at: { S: at },
    expiresAt: number(expiresAt),
  };
}

/** Reads an operator's action; undefined when the row is none that this version knows. */
export function actionIn(item: Item): OperatorAction | undefined {
  const worker = item["worker"]?.S;
  if (item["action"]?.S !== "fence" || worker === undefined) return undefined;
  return { action: "fence", worker, by: item["by"]?.S ?? "", at: item["at"]?.S ?? "" };
}

function keyList(keys: readonly string[]): AttributeValue | undefined {
  return keys.length === 0 ? undefined : { L: keys.map((leaseKey) => ({ S: leaseKey })) };
}

function keysIn(value: AttributeValue | undefined): readonly string[] {
  return (value?.L ?? []).flatMap((key) => (key.S === undefined ? [] : [key.S]));
}
