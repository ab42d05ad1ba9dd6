import type { Lease } from "../../model/lease.js";
import type { Call, WriteOutcome } from "../call.js";
import type { CheckpointWrite, Checkpoints } from "../checkpoints.js";
import type { DynamoDbConnection } from "./connection.js";
import { Expression } from "./expression.js";
import { leaseIn, leaseKeyOf } from "./lease-codec.js";
import type { Naming } from "./row-names.js";

export class DynamoDbCheckpoints implements Checkpoints {
  readonly #connection: DynamoDbConnection;

  constructor(connection: DynamoDbConnection) {
    this.#connection = connection;
  }

  write(write: CheckpointWrite, call?: Call): Promise<WriteOutcome<Lease>> {
    const { leaseTable } = this.#connection;
    const update = checkpointExpression(write, this.#connection.names.lease);
    const doing = `checkpoint lease ${JSON.stringify(write.leaseKey)}`;
    return this.#connection.update(
      leaseTable,
      leaseKeyOf(write.leaseKey),
      update,
      doing,
      (item) => leaseIn(leaseTable, item),
      call,
    );
  }
}

function checkpointExpression(write: CheckpointWrite, naming: Naming): Expression {
  const { expect } = write;
  const update = new Expression(naming);
  update
    .set("checkpoint", { S: write.checkpoint.sequenceNumber })
    .set("checkpointSubSequenceNumber", { N: String(write.checkpoint.subSequenceNumber) })
    .set("ownerSwitchesSinceCheckpoint", { N: "0" })
    .set("ownersWornOut", { N: "0" })
    .set("writeId", { S: write.writeId })
    .remove("pendingCheckpoint", "pendingCheckpointSubSequenceNumber", "pendingCheckpointState");
  if (write.children !== undefined && write.children.length > 0) {
    update.set("childShardIds", { SS: [...write.children] });
  }
  if (write.throughputKBps !== undefined) update.set("throughputKBps", { N: String(write.throughputKBps) });

  update
    // Only the owner moves the checkpoint …
    .requireEqual("leaseOwner", { S: write.owner })
    // … and only in its own epoch: what it sent before it lost the lease, or raised its epoch, is refused.
    .requireEqual("leaseCounter", { N: String(write.epoch) })
    // Compare-and-set, so that a late duplicate of an earlier checkpoint cannot take the partition back. The store
    // orders decimal strings bytewise, so equality is all that can be asked of it.
    .requireEqual("checkpoint", { S: expect.checkpoint.sequenceNumber });
  requireSubSequence(update, "checkpointSubSequenceNumber", expect.checkpoint.subSequenceNumber);
  if (expect.pendingCheckpoint === undefined) {
    // A pending checkpoint that appeared since is not this writer's to clear.
    update.requireAbsent("pendingCheckpoint");
  } else {
    // The pending checkpoint that is being committed or given up, and no later one.
    update.requireEqual("pendingCheckpoint", { S: expect.pendingCheckpoint.sequenceNumber });
    requireSubSequence(
      update,
      "pendingCheckpointSubSequenceNumber",
      expect.pendingCheckpoint.subSequenceNumber,
    );
  }
  return update;
}

/** An absent sub-sequence number reads as 0, so the condition takes it for 0 too. */
function requireSubSequence(update: Expression, attribute: string, expected: number): void {
  const name = update.name(attribute);
  const equal = `${name} = ${update.number(expected)}`;
  update.require(expected === 0 ? `${equal} OR attribute_not_exists(${name})` : equal);
}
