import { expect } from "chai";
import { formatNumber, oldestFormatRead } from "../../../src/model/worker-row.js";
import { Expression } from "../../../src/store/dynamodb/expression.js";
import { newlyNamed, renames, RowNames, type Naming } from "../../../src/store/dynamodb/row-names.js";
import { leaseAttributes } from "../../../src/store/lease-item.js";

const table = { lease: new Map([["tenure", "hold"]]), worker: new Map([["weight", "heft"]]) };
const one = { N: "1" };
const meta = (format: number) => ({ liveness: "worker", format, joins: 1 });

/** What an expression says, with the names themselves in the place of placeholders. */
function said(naming: Naming, make: (expression: Expression) => Expression): string {
  const { UpdateExpression, ConditionExpression, ExpressionAttributeNames } = make(
    new Expression(naming),
  ).update();
  let text = UpdateExpression ?? ConditionExpression ?? "";
  for (const [key, name] of Object.entries(ExpressionAttributeNames ?? {}).reverse()) {
    text = text.replaceAll(key, name);
  }
  return text;
}

/** A store's names, at the format before and at the newest. */
function both(): readonly [Naming, Naming] {
  const known = { newest: 3, oldest: 2 };
  const now = new RowNames(table, known);
  now.learn(meta(3));
  return [new RowNames(table, known).lease, now.lease];
}

describe("the names of attributes", () => {
  it("are written as meta's format has them, and the other format's is taken away", () => {
    const [before, now] = both();
    expect(said(before, (e) => e.set("tenure", one).set("writeId", one))).to.equal(
      "SET hold = :v0, writeId = :v1 REMOVE tenure",
    );
    expect(said(now, (e) => e.set("tenure", one).set("writeId", one))).to.equal(
      "SET tenure = :v0, writeId = :v1 REMOVE hold",
    );
    expect(said(now, (e) => e.put("tenure", undefined))).to.equal("REMOVE tenure, hold");
  });

  it("carry a sum over from the other format", () => {
    const [before, now] = both();
    expect(said(now, (e) => e.add("tenure", 1))).to.equal(
      "SET tenure = if_not_exists(tenure, if_not_exists(hold, :v0)) + :v1 REMOVE hold",
    );
    expect(said(before, (e) => e.add("tenure", 1))).to.equal(
      "SET hold = if_not_exists(hold, if_not_exists(tenure, :v0)) + :v1 REMOVE tenure",
    );
  });

  it("are both asked for in a condition", () => {
    const [before, now] = both();
    expect(said(now, (e) => e.requireEqual("tenure", one))).to.equal("(tenure = :v0 OR hold = :v0)");
    expect(said(before, (e) => e.requireAbsent("tenure"))).to.equal(
      "(attribute_not_exists(hold) AND attribute_not_exists(tenure))",
    );
    expect(said(now, (e) => e.requirePresent("tenure"))).to.equal(
      "(attribute_exists(tenure) OR attribute_exists(hold))",
    );
  });

  it("are learnt from meta and never unlearnt, and an unknown newer format is written in the newest known", () => {
    const names = new RowNames(table, { newest: 3, oldest: 2 });
    expect(names.worker.written("weight")).to.equal("heft");
    expect(names.worker.other("weight")).to.equal("weight");
    names.learn(meta(2));
    names.learn(undefined);
    expect(names.lease.written("tenure")).to.equal("hold");
    names.learn(meta(3));
    expect(names.lease.written("tenure")).to.equal("tenure");
    expect(names.lease.other("tenure")).to.equal("hold");
    names.learn(meta(2));
    expect(names.lease.written("tenure")).to.equal("tenure");
    names.learn(meta(4));
    expect(names.worker.written("weight")).to.equal("weight");
    expect(names.worker.written("leases")).to.equal("leases");
    expect(names.worker.other("leases")).to.equal(undefined);
  });

  it("read as the newest ones, whichever format wrote the row", () => {
    const written = { leaseKey: { S: "s1" }, tenure: { S: "new" } };
    expect(newlyNamed("lease", { leaseKey: { S: "s1" }, hold: { S: "old" } }, table)).to.deep.include({
      tenure: { S: "old" },
    });
    expect(newlyNamed("lease", written, table)).to.deep.equal(written);
    expect(newlyNamed("lease", { ...written, hold: { S: "old" } }, table)).to.deep.include({
      tenure: { S: "new" },
    });
    expect(newlyNamed("worker", { heft: one }, table)).to.deep.include({ weight: one });
  });

  it("are renamed by no format yet, and never where versions that know nothing of each other meet", () => {
    const formatsKnown = formatNumber - oldestFormatRead + 1;
    expect(renames.lease.size + renames.worker.size).to.be.at.most(formatsKnown > 1 ? Infinity : 0);
    const fixed = ["pk", "sk", "beat", "fencedBy", "fenceKind", "mailbox", "readsFormat"];
    expect(fixed.filter((name) => renames.worker.has(name))).to.deep.equal([]);
    const ours = new Set(["tenure", "previousTenure", "writeId", "ownersWornOut"]);
    for (const name of renames.lease.keys())
      expect(leaseAttributes.has(name) && ours.has(name)).to.equal(true);
  });
});
