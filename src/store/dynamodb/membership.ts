import {
  tombstoneBeat,
  type FleetPart,
  type FleetRows,
  type MailEntry,
  type MetaRow,
  type Observes,
  type WorkerIdentity,
  type WorkerRow,
  type WorkerStatus,
} from "../../model/worker-row.js";
import type { FenceKind } from "../../model/reasons.js";
import type { Call, PlainOutcome, WriteOutcome } from "../call.js";
import type { Beat, FormatExpectation, Membership } from "../membership.js";
import type { DynamoDbConnection } from "./connection.js";
import { Expression } from "./expression.js";
import {
  fleetIn,
  identityAttributes,
  mailValue,
  metaIn,
  metaKey,
  plannerKey,
  statusAttributes,
  workerIn,
  workerKey,
} from "./fleet-codec.js";

/** The rows of workers. */
export class DynamoDbMembership implements Membership {
  readonly #connection: DynamoDbConnection;

  constructor(connection: DynamoDbConnection) {
    this.#connection = connection;
  }

  async readFleet(call: Call & { readonly consistent: boolean }): Promise<FleetRows> {
    const expression = new Expression();
    const input = {
      TableName: this.#connection.fleetTable,
      ConsistentRead: call.consistent,
      KeyConditionExpression: `${expression.name("pk")} = ${expression.string("fleet")}`,
      ...expression.condition(),
    };
    const rows = fleetIn(await this.#connection.query(input, "read the fleet", call));
    this.#connection.names.learn(rows.meta);
    return rows;
  }

  async readWorker(
    workerId: string,
    call: Call & { readonly consistent: boolean },
  ): Promise<WorkerRow | undefined> {
    const { fleetTable } = this.#connection;
    const doing = `read worker ${workerId}`;
    const item = await this.#connection.get(fleetTable, workerKey(workerId), call.consistent, doing, call);
    return item === undefined ? undefined : workerIn(item);
  }

  async readPart(workerIds: readonly string[], call?: Call): Promise<FleetPart> {
    const keys = [plannerKey, ...[...new Set(workerIds)].map(workerKey)];
    const { fleetTable } = this.#connection;
    const { workers, planner } = fleetIn(
      await this.#connection.getMany(fleetTable, keys, "read a part of the fleet", call),
    );
    return { workers, planner };
  }

  async join(mode: string, format: number, call?: Call): Promise<MetaRow> {
    const update = new Expression()
      .setDefault("liveness", { S: mode })
      .setDefault("format", { N: String(format) })
      .add("joins", 1);
    const { fleetTable } = this.#connection;
    const outcome = await this.#connection.update(
      fleetTable,
      metaKey,
      update,
      "join the fleet",
      metaIn,
      call,
    );
    // It has no condition that could be refused.
    const meta = outcome.ok ? outcome.row : { liveness: mode, format, joins: 0, ...outcome.current };
    this.#connection.names.learn(meta);
    return meta;
  }

  async raiseFormat(expect: FormatExpectation, call?: Call): Promise<WriteOutcome<MetaRow>> {
    const update = new Expression()
      .set("format", { N: String(expect.format + 1) })
      // Once only, and never by two steps: a version reads one format back.
      .requireEqual("format", { N: String(expect.format) })
      // Whoever joined since may read less than those whose rows were looked at.
      .requireEqual("joins", { N: String(expect.joins) });
    const { fleetTable } = this.#connection;
    const outcome = await this.#connection.update(
      fleetTable,
      metaKey,
      update,
      "raise the format",
      metaIn,
      call,
    );
    this.#connection.names.learn(outcome.ok ? outcome.row : outcome.current);
    return outcome;
  }

  async note(kclNote: string, call?: Call): Promise<MetaRow> {
    const update = new Expression().set("kclNote", { S: kclNote });
    const { fleetTable } = this.#connection;
    const doing = "note what a KCL fleet left";
    const outcome = await this.#connection.update(fleetTable, metaKey, update, doing, metaIn, call);
    // It has no condition that could be refused.
    return outcome.ok ? outcome.row : { liveness: "", format: 0, joins: 0, ...outcome.current };
  }

  create(identity: WorkerIdentity, status: WorkerStatus, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const update = this.#row().set("beat", { N: "0" }).set("mailbox", { M: {} });
    for (const [name, value] of Object.entries({
      ...identityAttributes(identity),
      ...statusAttributes(status),
    })) {
      if (value !== undefined) update.set(name, value);
    }
    // A late creation must not un-fence, and a tombstone is nobody's to begin from.
    update.requireAbsent("pk");
    return this.#write(identity.workerId, update, "create", call);
  }

  beat(beat: Beat, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const update = this.#row().set("beat", { N: String(beat.beat + 1) });
    for (const [name, value] of Object.entries(statusAttributes(beat.status))) update.put(name, value);
    for (const key of new Set(beat.removeMail)) update.removePath("mailbox", key);
    update
      // The number makes a repeat of a beat that arrived harmless, and a late one of long ago.
      .requireEqual("beat", { N: String(beat.beat) })
      // The fence ends the worker for ever: whoever set it counts on no later beat.
      .requireAbsent("fencedBy");
    return this.#write(beat.workerId, update, "beat", call);
  }

  fence(workerId: string, by: string, beat: number, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const update = fenced(by, "observer")
      // The beat that was seen standing still for T: a worker that has beaten since lives.
      .requireEqual("beat", { N: String(beat) })
      // Who ended a worker, and how, is never rewritten.
      .requireAbsent("fencedBy");
    return this.#write(workerId, update, "fence", call);
  }

  leave(workerId: string, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    return this.#write(workerId, requireUnfenced(fenced(workerId, "left")), "leave", call);
  }

  forceFence(workerId: string, by: string, at: string, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const update = requireUnfenced(fenced(by, "forced").set("fencedAt", { S: at }));
    return this.#write(workerId, update, "forced fence", call);
  }

  fenceExited(workerId: string, by: string, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const update = fenced(by, "parent")
      // A child that died before it made its row gets one, so that its creation, if still on its way, is refused.
      .setDefault("beat", { N: String(tombstoneBeat) })
      // The operating system has confirmed the death, so no beat is asked for; but the first fence stands.
      .requireAbsent("fencedBy");
    return this.#write(workerId, update, "fence after its exit", call);
  }

  createTombstone(workerId: string, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const update = new Expression()
      .set("beat", { N: String(tombstoneBeat) })
      .set("mailbox", { M: {} })
      // A worker that lives after all must keep its row.
      .requireAbsent("pk");
    return this.#write(workerId, update, "tombstone", call);
  }

  post(
    workerId: string,
    entries: ReadonlyMap<string, MailEntry>,
    call?: Call,
  ): Promise<WriteOutcome<WorkerRow>> {
    const update = new Expression();
    for (const [key, entry] of entries) update.set(["mailbox", key], mailValue(entry));
    return this.#write(workerId, requireUnfenced(update), "post", call);
  }

  nameObserver(observer: string, mark: string, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    // Added, not set: two newcomers that name the same observer at once are both in its list.
    const update = requireUnfenced(this.#row().addTo("observes", [mark]));
    return this.#write(observer, update, "name an observer", call);
  }

  assignObserver(observer: string, observes: Observes, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const update = requireUnfenced(
      this.#row()
        // A set in the store is never empty.
        .put("observes", observes.marks.length === 0 ? undefined : { SS: [...new Set(observes.marks)] })
        .set("observesEpoch", { N: String(observes.plannerEpoch) }),
    );
    const epoch = update.name("observesEpoch");
    // What a later planner said stands, however late the word of one that it deposed arrives.
    update.require(`attribute_not_exists(${epoch}) OR ${epoch} <= ${update.number(observes.plannerEpoch)}`);
    return this.#write(observer, update, "assign an observer", call);
  }

  remove(workerId: string, call?: Call): Promise<PlainOutcome> {
    const { fleetTable } = this.#connection;
    // Only what was fenced may go: a row without a fence belongs to somebody.
    const condition = new Expression().requirePresent("fencedBy");
    return this.#connection.remove(
      fleetTable,
      workerKey(workerId),
      condition,
      `collect worker ${workerId}`,
      call,
    );
  }

  #row(): Expression {
    return new Expression(this.#connection.names.worker);
  }

  #write(
    workerId: string,
    update: Expression,
    what: string,
    call: Call | undefined,
  ): Promise<WriteOutcome<WorkerRow>> {
    const { fleetTable } = this.#connection;
    const doing = `write worker ${workerId} (${what})`;
    return this.#connection.update(fleetTable, workerKey(workerId), update, doing, workerIn, call);
  }
}

function fenced(by: string, kind: FenceKind): Expression {
  return new Expression().set("fencedBy", { S: by }).set("fenceKind", { S: kind });
}

function requireUnfenced(update: Expression): Expression {
  return (
    update
      // A row that was collected must not come back as a stub that nobody can fence.
      .requirePresent("beat")
      // A fenced worker writes and answers nothing any more, and the first fence stands.
      .requireAbsent("fencedBy")
  );
}
