import { expect } from "chai";
import { dealt, fleet, World } from "./harness.js";

const deployments = { a: "v1", b: "v1", c: "v2", d: "v2", e: "v1" };

describe("workers of two deployments", () => {
  it("say in their rows what they are of, and in which order their processes joined", async () => {
    const world = new World({ deployments: { a: "v1", b: "v2" } });
    await world.start("a");
    await world.start("b");
    await world.start("x");
    expect(world.workerRow("a")).to.include({ deployment: "v1", join: 1 });
    expect(world.workerRow("b")).to.include({ deployment: "v2", join: 2 });
    expect(world.workerRow("x")).to.include({ join: 3 });
    expect(world.workerRow("x")).not.to.have.property("deployment");
  });

  it("move nothing to the newcomer, and a leaver's leases to it", async () => {
    const world = await fleet(dealt(12, "a", "b"), { deployments });
    await world.run(20_000);
    await world.start("c");
    await world.run(60_000);
    expect(world.events("directive-posted")).to.have.length(0);
    // a has as many as b: without the labels both b and c would get some, once c has been filled.
    await world.stop("a");
    await world.run(5_000);
    expect(world.counts()).to.deep.equal({ b: 6, c: 6 });
    expect(world.allWorked).to.equal(true);
  });

  it("are balanced again when the hold is over", async () => {
    const world = await fleet(dealt(12, "a", "b"), { deployments, protocol: { deployHoldMs: 40_000 } });
    await world.run(20_000);
    await world.start("c");
    await world.run(38_000);
    expect(world.events("directive-posted")).to.have.length(0);
    await world.until(() => world.counts()["c"] === 4 && world.allWorked, 30_000);
  });

  it("are balanced at once when the last of the older has left", async () => {
    const world = await fleet(dealt(12, "a"), { deployments });
    await world.run(20_000);
    await world.start("c", "d");
    await world.run(30_000);
    expect(world.counts()).to.deep.equal({ a: 12 });
    await world.stop("a");
    await world.run(5_000);
    expect(world.counts()).to.deep.equal({ c: 6, d: 6 });
  });

  it("give a leaver's leases to the old label where that is brought back", async () => {
    const world = await fleet(dealt(12, "a", "c"), { deployments });
    await world.run(20_000);
    await world.start("e");
    // Until everybody has read its row.
    await world.run(2_000);
    await world.stop("c");
    await world.run(5_000);
    expect(world.counts()).to.deep.equal({ a: 6, e: 6 });
  });

  it("take over from one that dies as always, whatever its label", async () => {
    const world = await fleet(dealt(12, "a", "b", "c"), { deployments });
    await world.run(20_000);
    world.kill("b");
    await world.until(() => world.allWorked, 20_000);
    expect(world.counts()["b"]).to.equal(undefined);
  });
});

describe("a process that comes back after a fence", () => {
  it("keeps the join of its first worker: it has deployed nothing, and draws no leaver's leases", async () => {
    const leases = {
      ...dealt(8, "b"),
      s10: "a",
      s11: "e",
      s12: "e",
      s13: "e",
      s14: "e",
      s15: "c",
      s16: "c",
      s17: "c",
    };
    const world = new World({ deployments });
    await world.start("a", "b", "e");
    await world.start("c");
    await world.hold(leases);
    await world.run(5_000);
    const { id } = world.at("a");
    const before = world.workerRow("a")?.join;
    await world.direct.membership.fenceExited(id, "parent");
    await world.until(() => world.at("a").id !== id && (world.workerRow("a")?.beat ?? 0) > 0, 20_000);
    expect(world.workerRow("a")?.join).to.equal(before);
    await world.until(() => world.allWorked, 20_000);
    await world.run(3_000);
    await world.stop("b");
    await world.run(2_000);
    // c is filled first, past the mean of 5.3; were a the newest, its like would get all.
    expect(world.counts()).to.deep.equal({ a: 5, c: 6, e: 5 });
  });
});
