import { expect } from "chai";
import type { Lease } from "../../src/model/lease.js";
import { position, shardEnd, trimHorizon, type Position } from "../../src/model/position.js";
import { Ledger } from "../../src/testing/ledger.js";
import { SimulatedStream } from "../../src/testing/simulated-stream.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import { collectReports } from "./reports.js";

function setting(records = 5) {
  const stream = new SimulatedStream(new VirtualTime(), { shards: 1 });
  const numbers = Array.from({ length: records }, () => stream.put(0));
  const found = collectReports();
  const ledger = new Ledger(stream.shards, found.report);
  const shardId = stream.shards.all()[0]!.shardId;
  const at = (checkpoint: Position): Lease => ({
    leaseKey: shardId,
    epoch: 1,
    checkpoint,
    ownerSwitchesSinceCheckpoint: 0,
    ownersWornOut: 0,
    parents: [],
    children: [],
    marked: false,
  });
  return { stream, numbers, found, ledger, shardId, at };
}

describe("the ledger", () => {
  it("finds nothing wrong with records worked in order, and nothing missing", () => {
    const { ledger, numbers, shardId, found, at } = setting();
    ledger.begin("w1", shardId, "TRIM_HORIZON");
    ledger.deliver("w1", shardId, numbers.slice(0, 3));
    ledger.work(shardId, numbers.slice(0, 3));
    ledger.begin("w2", shardId, numbers[1]!);
    ledger.deliver("w2", shardId, numbers.slice(2));
    ledger.work(shardId, numbers.slice(2));
    expect(found.says).to.deep.equal([]);
    expect(ledger.missing()).to.deep.equal([]);
    expect(ledger.redone).to.equal(1);
    expect(ledger.undone(at(position(numbers[4]!)))).to.equal(undefined);
  });

  it("lists what is missing, also a gap in the middle and what nobody ever touched", () => {
    const { ledger, numbers, shardId, stream } = setting();
    expect(ledger.missing()).to.deep.equal([`${shardId}: 5 of 5`]);
    ledger.work(shardId, [numbers[0]!, numbers[2]!, numbers[3]!, numbers[4]!]);
    expect(ledger.missing()).to.deep.equal([`${shardId}: 4 of 5`]);
    ledger.work(shardId, [numbers[1]!]);
    stream.put(0);
    expect(ledger.missing()).to.deep.equal([`${shardId}: 1 of 6`]);
  });

  it("reports records skipped, records before the checkpoint, and records of another stream", () => {
    const { ledger, numbers, shardId, found } = setting();
    ledger.begin("w1", shardId, numbers[1]!);
    ledger.deliver("w1", shardId, [numbers[3]!]);
    ledger.deliver("w1", shardId, [numbers[1]!]);
    ledger.deliver("w1", shardId, ["1"]);
    expect(found.names).to.deep.equal(["nothing-lost", "nothing-lost", "nothing-lost"]);
    expect(found.says[0]).to.match(/skips 1 records/);
    expect(found.says[1]).to.match(/before its checkpoint/);
    expect(found.says[2]).to.match(/no record of it/);
  });

  it("lets records come again within a tenure", () => {
    const { ledger, numbers, shardId, found } = setting();
    ledger.begin("w1", shardId, "TRIM_HORIZON");
    ledger.deliver("w1", shardId, numbers);
    ledger.deliver("w1", shardId, numbers);
    expect(found.says).to.deep.equal([]);
  });

  it("reports a tenure that begins at no record", () => {
    const { ledger, shardId, found } = setting();
    ledger.begin("w1", shardId, "12345");
    expect(found.names).to.deep.equal(["checkpoints-advance"]);
  });

  it("says what lies undone behind a checkpoint", () => {
    const { ledger, numbers, shardId, at } = setting();
    ledger.work(shardId, numbers.slice(0, 2));
    expect(ledger.undone(at(trimHorizon))).to.equal(undefined);
    expect(ledger.undone(at(position(numbers[1]!)))).to.equal(undefined);
    expect(ledger.undone(at(position(numbers[3]!)))).to.match(/2 records before it are not worked/);
    expect(ledger.undone(at(position("77")))).to.match(/no record of it/);
  });

  it("says why a partition may not be finished yet", () => {
    const { ledger, numbers, shardId, stream, at } = setting();
    expect(ledger.undone(at(shardEnd))).to.match(/though its shard is open/);
    stream.splitAny(0);
    expect(ledger.undone(at(shardEnd))).to.match(/5 records are not worked/);
    ledger.work(shardId, numbers);
    expect(ledger.undone(at(shardEnd))).to.equal(undefined);
  });
});
