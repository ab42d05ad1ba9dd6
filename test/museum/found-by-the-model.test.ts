import { expect } from "chai";
import { verifyHistory } from "../../src/model/history-verify.js";
import { position } from "../../src/model/position.js";
import { atMs, busyLife } from "../model/past.js";
import { World } from "../fleet/harness.js";
import { Bench } from "../tenure/bench.js";

/** Bugs that TLC found in the specs of `spec/`: the shipped code did what the spec did. They stay, as mutants there. */
describe("the museum of bugs that the model found", () => {
  // The answer was lost, an operator set the row back, and the repeat was refused by a row that bore our write id: taken
  // for ours as it stood, it became the base of the next checkpoint, and the records wanted again were passed over.
  it("a checkpoint without an answer overrode the operator who moved it back after it had landed (write-id-is-enough)", async () => {
    const bench = new Bench({ s1: "me@5:100" });
    const tenure = await bench.hold();
    bench.scripted.next("checkpoints.write", "lost-answer");
    let writes = 0;
    bench.scripted.on("checkpoints.write", () => {
      // Before the repeat: the first write has landed.
      if (++writes === 2) bench.scripted.put({ ...bench.row(), checkpoint: position("50") });
    });
    expect(await bench.code(tenure.checkpoint(position("200")))).to.equal("checkpoint-refused");
    expect(bench.all("checkpoint-refused").map(({ reason }) => reason)).to.deep.equal(["moved-by-hand"]);
    expect(tenure.endReason, "nothing is written on top of it").to.equal("lease-lost");
    await bench.run(bench.lane().reconcile());
    expect(bench.held().row.checkpoint, "what was wanted again is done again").to.deep.equal(position("50"));
    bench.close();
  });

  // Clean-up archived the mark as ended by a deletion, then died; the partition came back and the row was made again. An
  // entry is never written over, so the history told of an end that never was.
  it("a mark whose row was made again, not removed, went down as ended by its deletion (last-entry-claims-an-end)", () => {
    const life = busyLife().change("released").change("deleted");
    const { row } = life;
    life.removed();
    life.row = row;
    life.change("recreated").change("taken", "b").change("released");
    expect(life.entries.filter(({ reason }) => reason === "deleted")).to.have.length(1);
    expect(verifyHistory(life.record, atMs(100))).to.deep.equal([]);
  });

  // The creation of a worker's row was repeated under its id. The row was fenced and deleted by hand, then made again by the
  // first request, which was late: its worker could beat and take while others knew it for fenced.
  it("the late one of two requests for a worker's row brought a fenced worker back to life (creation-repeated)", async () => {
    const world = new World();
    world.befall("membership.create", { laterMs: 6_000 }, "a", 1);
    await world.start("a");
    const { id } = world.at("a");
    await world.direct.membership.fence(id, "somebody", world.workerRow(id)?.beat ?? 0);
    world.rows.deleteWorker(id);
    await world.run(10_000);
    expect(world.workerRow(id)).to.equal(undefined);
  });
});
