import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Lease, NewLease, TenureRecord } from "../../model/lease.js";
import type { Call, PlainOutcome, WriteOutcome } from "../call.js";
import { deletedLeaseEntity, leaseEntity, tenureValue } from "../lease-item.js";
import type { Ownership, TenureChange } from "../ownership.js";
import type { DynamoDbConnection } from "./connection.js";
import { Expression } from "./expression.js";
import { leaseIn, leaseKeyOf } from "./lease-codec.js";

/** Updates only: attributes of the KCL, and of versions to come, survive. */
export class DynamoDbOwnership implements Ownership {
  readonly #connection: DynamoDbConnection;

  constructor(connection: DynamoDbConnection) {
    this.#connection = connection;
  }

  create(
    lease: NewLease,
    epoch: number,
    tenure: TenureRecord,
    writeId: string,
    call?: Call,
  ): Promise<WriteOutcome<Lease>> {
    const update = new Expression(this.#connection.names.lease);
    setContents(update, lease);
    update
      .set("leaseCounter", { N: String(epoch) })
      .set("tenure", tenureValue(tenure))
      .set("writeId", { S: writeId })
      // A row that stands is never written over: it may be owned, or a deletion mark that guards its epochs.
      .requireAbsent("leaseKey");
    return this.#write(lease.leaseKey, update, "create", call);
  }

  change(change: TenureChange, call?: Call): Promise<WriteOutcome<Lease>> {
    const { expect, tenure, previousTenure, recreate } = change;
    const update = new Expression(this.#connection.names.lease);
    update
      .set("leaseCounter", { N: String(expect.epoch + 1) })
      .set("tenure", tenureValue(tenure))
      .put("previousTenure", previousTenure === undefined ? undefined : tenureValue(previousTenure))
      .set("writeId", { S: change.writeId })
      .put("leaseOwner", change.mark === true ? undefined : string(tenure.worker))
      // A handoff that the Java KCL had begun is over with the tenure that it began in.
      .remove("checkpointOwner");
    if (change.mark === true) update.set("entityType", { S: deletedLeaseEntity });
    if (recreate === undefined) {
      if (change.wornOut) update.add("ownersWornOut", 1);
      if (change.switchesOwner) update.add("ownerSwitchesSinceCheckpoint", 1);
    } else {
      setContents(update, recreate);
      update.remove(...withoutContents);
    }

    // The epoch fences every write that was decided on an older row.
    update.requireEqual("leaseCounter", { N: String(expect.epoch) });
    // The owner read, so that a lease is taken from nobody but the fenced worker that was seen to hold it.
    if (expect.owner === undefined) update.requireAbsent("leaseOwner");
    else update.requireEqual("leaseOwner", { S: expect.owner });
    const entity = update.name("entityType");
    if (expect.marked) {
      // A lease is made again only from its mark: a row that lives keeps its checkpoint.
      update.require(`${entity} = ${update.string(deletedLeaseEntity)}`);
    } else {
      // A late take must not meet a deleted row, and rows of other kinds are not ours to write.
      update.require(`attribute_not_exists(${entity}) OR ${entity} = ${update.string(leaseEntity)}`);
    }
    return this.#write(change.leaseKey, update, tenure.reason, call);
  }

  remove(leaseKey: string, epoch: number, call?: Call): Promise<PlainOutcome> {
    const { leaseTable } = this.#connection;
    const condition = new Expression(this.#connection.names.lease)
      // The mark that was read, not one of a lease made again and deleted again since.
      .requireEqual("leaseCounter", { N: String(epoch) })
      // Only a mark may go: deleting a lease that lives would lose its checkpoint and its epochs.
      .requireEqual("entityType", { S: deletedLeaseEntity });
    const doing = `remove deleted lease ${JSON.stringify(leaseKey)}`;
    return this.#connection.remove(leaseTable, leaseKeyOf(leaseKey), condition, doing, call);
  }

  #write(
    leaseKey: string,
    update: Expression,
    what: string,
    call: Call | undefined,
  ): Promise<WriteOutcome<Lease>> {
    const { leaseTable } = this.#connection;
    const doing = `write lease ${JSON.stringify(leaseKey)} (${what})`;
    return this.#connection.update(
      leaseTable,
      leaseKeyOf(leaseKey),
      update,
      doing,
      (item) => leaseIn(leaseTable, item),
      call,
    );
  }
}

/** What an earlier life of the lease may have left behind. */
const withoutContents = [
  "childShardIds",
  "pendingCheckpoint",
  "pendingCheckpointSubSequenceNumber",
  "pendingCheckpointState",
  "throughputKBps",
];

function setContents(update: Expression, lease: NewLease): void {
  update
    .set("checkpoint", { S: lease.checkpoint.sequenceNumber })
    .set("checkpointSubSequenceNumber", { N: String(lease.checkpoint.subSequenceNumber) })
    .set("ownerSwitchesSinceCheckpoint", { N: "0" })
    .set("ownersWornOut", { N: "0" })
    .set("entityType", { S: leaseEntity })
    // An empty set cannot be stored.
    .put("parentShardId", lease.parents.length === 0 ? undefined : { SS: [...lease.parents] })
    .put("startingHashKey", string(lease.startingHashKey))
    .put("endingHashKey", string(lease.endingHashKey));
}

function string(value: string | undefined): AttributeValue | undefined {
  return value === undefined ? undefined : { S: value };
}
