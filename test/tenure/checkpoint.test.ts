import { expect } from "chai";
import { position, type Position } from "../../src/model/position.js";
import type { CheckpointWrite } from "../../src/store/checkpoints.js";
import type { Tenure } from "../../src/tenure/tenure.js";
import { Bench } from "./bench.js";

describe("a checkpoint", () => {
  let bench: Bench;
  let tenure: Tenure;

  beforeEach(async () => {
    bench = new Bench({ s1: "me@5:100" });
    tenure = await bench.hold();
  });

  afterEach(() => {
    bench.close();
  });

  const at = (): Position => bench.row().checkpoint;
  const code = (to: string): Promise<string | undefined> => bench.code(tenure.checkpoint(position(to)));
  const refusals = (): string[] => bench.all("checkpoint-refused").map(({ reason }) => reason);
  /** The next checkpoints get no answer until the worker raises its epoch; then writes pass again. */
  const lostUntilRaised = (fate: "lost-request" | "lost-answer" | "late"): void => {
    bench.scripted.always("checkpoints.write", fate);
    bench.scripted.on("ownership.change", () => {
      bench.scripted.always("checkpoints.write", "passes");
    });
  };

  it("is written under owner, epoch and all that the row last held", async () => {
    await bench.checkpoint(tenure, "200");
    await bench.checkpoint(tenure, "300", { children: ["l", "r"], throughputKBps: 7 });
    const [first, second] = bench.scripted.calls
      .filter(({ operation }) => operation === "checkpoints.write")
      .map(({ args }) => args[0] as CheckpointWrite);
    expect(first).to.include({ owner: "me", epoch: 5 });
    expect(first!.expect.checkpoint).to.deep.equal(position("100"));
    expect(second!.expect.checkpoint).to.deep.equal(position("200"));
    expect(bench.row()).to.deep.include({
      checkpoint: position("300"),
      children: ["l", "r"],
      throughputKBps: 7,
    });
    expect(second!.writeId).to.not.equal(first!.writeId);
    expect(bench.all("checkpointed").map(({ checkpoint }) => checkpoint)).to.deep.equal(["200", "300"]);
  });

  it("raises no epoch and extends no belief", async () => {
    await bench.time.advance(3_000);
    await bench.time.runUntilSettled(tenure.checkpoint(position("200")));
    expect([tenure.fencingToken, bench.row().epoch, tenure.remainingMs()]).to.deep.equal([5, 5, 6_000]);
  });

  it("never goes back: it throws and writes nothing", async () => {
    expect(await code("99")).to.equal("checkpoint-backwards");
    expect(await code("TRIM_HORIZON")).to.equal("checkpoint-backwards");
    await bench.checkpoint(tenure, "200");
    expect(await code("150")).to.equal("checkpoint-backwards");
    expect([bench.scripted.count("checkpoints.write"), at(), tenure.ended]).to.deep.equal([
      1,
      position("200"),
      false,
    ]);
  });

  it("is ordered as a number, not as text", async () => {
    await bench.checkpoint(tenure, "1000");
    expect(at()).to.deep.equal(position("1000"));
    expect(await code("999")).to.equal("checkpoint-backwards");
  });

  it("where the last one stands is no write at all", async () => {
    await bench.checkpoint(tenure, "100");
    expect(bench.scripted.count("checkpoints.write")).to.equal(0);
  });

  it("moves on within an aggregated record", async () => {
    await bench.run(tenure.checkpoint(position("100", 3)));
    expect(at()).to.deep.equal(position("100", 3));
    expect(await code("100")).to.equal("checkpoint-backwards");
  });

  it("clears the counts of owners", async () => {
    bench.scripted.put({ ...bench.row(), ownersWornOut: 2, ownerSwitchesSinceCheckpoint: 3 });
    await bench.checkpoint(tenure, "200");
    expect(bench.row()).to.include({ ownersWornOut: 0, ownerSwitchesSinceCheckpoint: 0 });
  });

  it("of an expired worker throws and writes nothing", async () => {
    await bench.time.advance(9_000);
    expect(await code("200")).to.equal("lease-lost");
    expect([bench.scripted.count("checkpoints.write"), refusals()]).to.deep.equal([0, ["ended"]]);
  });

  it("of an ended tenure does not pass under its successor's epoch", async () => {
    tenure.end("stuck");
    await bench.run(bench.lane().reconcile());
    expect(await code("200")).to.equal("lease-lost");
    expect(at()).to.deep.equal(position("100"));
  });

  it("is not tried again after the belief ran out between two tries", async () => {
    bench.scripted.always("checkpoints.write", "throttled");
    bench.scripted.on("checkpoints.write", () => bench.clock.jumpWall(9_000));
    const thrown = await bench.time
      .runUntilSettled(tenure.checkpoint(position("200")))
      .catch((error: unknown) => error);
    expect(thrown).to.have.property("code", "store-throttled");
    expect(bench.scripted.count("checkpoints.write")).to.equal(1);
  });

  it("of an owner whom a stranger deposed is refused, and its tenure ends as foreign", async () => {
    const row = bench.row();
    bench.scripted.put({
      ...row,
      owner: "java",
      epoch: 6,
      tenure: { epoch: 5, worker: row.owner ?? "", reason: "taken", since: "" },
    });
    expect(await code("200")).to.equal("checkpoint-refused");
    expect([tenure.endReason, refusals(), bench.doubts]).to.deep.equal(["foreign", ["deposed"], []]);
  });

  it("of a deposed owner is refused, and ends its tenure", async () => {
    const taken = { epoch: 6, worker: "other", reason: "taken-from-fenced", since: "" } as const;
    bench.scripted.put({ ...bench.row(), owner: "other", epoch: 6, tenure: taken });
    expect(await code("200")).to.equal("checkpoint-refused");
    expect([tenure.endReason, refusals(), bench.doubts]).to.deep.equal(["lease-lost", ["deposed"], []]);
    expect(at()).to.deep.equal(position("100"));
  });

  it("is refused at a higher epoch of its own worker: that is another tenure", async () => {
    bench.scripted.put({ ...bench.row(), epoch: 7 });
    expect(await code("200")).to.equal("checkpoint-refused");
    expect(refusals()).to.deep.equal(["deposed"]);
  });

  it("of a row that is gone is refused, and said so", async () => {
    bench.scripted.tables.deleteLease("s1");
    expect(await code("200")).to.equal("checkpoint-refused");
    expect([tenure.ended, bench.gone]).to.deep.equal([true, ["s1"]]);
  });

  for (const to of ["050", "150", "900"]) {
    const moved = String(Number(to));
    it(`on a row moved by hand to ${moved} ends the tenure, which a raise resumes from there`, async () => {
      bench.scripted.put({ ...bench.row(), checkpoint: position(moved) });
      expect(await code("200")).to.equal("checkpoint-refused");
      expect([tenure.endReason, refusals(), bench.doubts]).to.deep.equal([
        "lease-lost",
        ["moved-by-hand"],
        ["s1"],
      ]);
      expect(at(), "compare-and-set: what was moved stays").to.deep.equal(position(moved));
      await bench.run(bench.lane().reconcile());
      expect(bench.held()).to.include({ fencingToken: 6, how: "resumed" });
      expect(bench.held().row.checkpoint).to.deep.equal(position(moved));
    });
  }

  it("on a row whose pending checkpoint was set by hand is refused too", async () => {
    bench.scripted.put({ ...bench.row(), pendingCheckpoint: position("180") });
    expect(await code("200")).to.equal("checkpoint-refused");
    expect(refusals()).to.deep.equal(["moved-by-hand"]);
  });

  it("whose answer was lost is its own by its write id", async () => {
    bench.scripted.next("checkpoints.write", "lost-answer");
    await bench.checkpoint(tenure, "200");
    expect([at(), bench.row().epoch, tenure.ended]).to.deep.equal([position("200"), 5, false]);
    expect(bench.scripted.count("checkpoints.write")).to.equal(2);
  });

  it("that was certainly not written is thrown to whoever asked, and may be tried again", async () => {
    bench.scripted.next("checkpoints.write", "denied");
    expect(await code("200")).to.equal("store-denied");
    expect([tenure.ended, bench.row().epoch]).to.deep.equal([false, 5]);
    await bench.checkpoint(tenure, "200");
    expect(at()).to.deep.equal(position("200"));
  });

  it("that stays ambiguous is looked for under a raised epoch: it had landed", async () => {
    lostUntilRaised("lost-answer");
    // The answer of every repeat is lost too.
    await bench.checkpoint(tenure, "200");
    expect([at(), tenure.fencingToken, tenure.ended]).to.deep.equal([position("200"), 6, false]);
    expect(bench.row().tenure).to.include({ reason: "raised", worker: "me" });
    expect(bench.all("tenure-raised")[0]).to.include({ epoch: 5, to: 6 });
    expect(bench.all("checkpointed"), "and it is told of as written").to.have.length(1);
  });

  it("that stays ambiguous is written again under the raised epoch when it had not landed", async () => {
    lostUntilRaised("lost-request");
    await bench.checkpoint(tenure, "200");
    expect([at(), tenure.fencingToken]).to.deep.equal([position("200"), 6]);
    const last = bench.scripted.calls.at(-1)!.args[0] as CheckpointWrite;
    expect(last).to.include({ epoch: 6 });
  });

  it("that stays ambiguous while somebody moves the row by hand ends the tenure: theirs is not overridden", async () => {
    bench.scripted.always("checkpoints.write", "lost-request");
    bench.scripted.on("ownership.change", () => {
      bench.scripted.put({ ...bench.row(), checkpoint: position("150") });
      bench.scripted.always("checkpoints.write", "passes");
    });
    expect(await code("200")).to.equal("checkpoint-refused");
    expect([tenure.endReason, at()]).to.deep.equal(["lease-lost", position("150")]);
    expect(refusals()).to.deep.equal(["unknown", "moved-by-hand"]);
  });

  it("that comes late after a raise changes nothing any more", async () => {
    lostUntilRaised("late");
    await bench.checkpoint(tenure, "200");
    await bench.checkpoint(tenure, "300");
    const row = bench.row();
    await bench.scripted.land();
    expect(bench.row()).to.equal(row);
  });

  it("pauses the hand-over while it is ambiguous", async () => {
    lostUntilRaised("lost-request");
    let paused: boolean | undefined;
    bench.scripted.on("history.archive", () => (paused = tenure.unsettled));
    await bench.checkpoint(tenure, "200");
    expect([paused, tenure.unsettled]).to.deep.equal([true, false]);
  });

  it("lets no later one pass before it is cleared up", async () => {
    lostUntilRaised("lost-request");
    const both = Promise.all([tenure.checkpoint(position("200")), tenure.checkpoint(position("300"))]);
    await bench.run(both);
    const order = bench.scripted.calls
      .filter(({ operation }) => operation === "checkpoints.write")
      .map(({ args }) => (args[0] as CheckpointWrite).checkpoint.sequenceNumber);
    expect(order.lastIndexOf("200")).to.be.below(order.indexOf("300"));
    expect(at()).to.deep.equal(position("300"));
  });

  for (const fate of ["denied", "lost-answer", "lost-request"] as const) {
    it(`whose raise fails (${fate}) ends the tenure as lost to the store, and is looked at again`, async () => {
      bench.scripted.always("checkpoints.write", "lost-request");
      bench.scripted.always("ownership.change", fate);
      expect(await code("200")).to.equal("lease-lost");
      expect([tenure.endReason, bench.doubts[0]]).to.deep.equal(["store-lost", "s1"]);
      expect(tenure.unsettled).to.equal(false);
      if (fate === "denied") expect(bench.scripted.count("ownership.change"), "one raise").to.equal(1);
      bench.scripted.always("checkpoints.write", "passes");
      expect(await code("300"), "no later checkpoint passes").to.equal("lease-lost");
      expect(at()).to.deep.equal(position("100"));
      bench.scripted.always("ownership.change", "passes");
      await bench.run(bench.lane().reconcile());
      expect(bench.held().fencingToken).to.equal(6);
      expect(bench.epochs()).to.deep.equal([5, 6]);
    });
  }

  it("whose belief runs out before the raise is sent raises nothing", async () => {
    bench.scripted.always("checkpoints.write", "lost-request");
    bench.scripted.on("history.archive", () => bench.clock.jumpWall(9_000));
    expect(await code("200")).to.equal("lease-lost");
    expect([bench.scripted.count("ownership.change"), tenure.endReason]).to.deep.equal([0, "lease-lost"]);
  });

  it("whose raise finds another owner ends the tenure", async () => {
    bench.scripted.always("checkpoints.write", "lost-request");
    bench.scripted.on("ownership.change", () => {
      bench.scripted.put({ ...bench.row(), owner: "other", epoch: 9 });
    });
    expect(await code("200")).to.equal("lease-lost");
    expect([tenure.endReason, bench.row().owner]).to.deep.equal(["store-lost", "other"]);
  });

  it("whose tenure ended while the raise was under way is not written under the raised epoch", async () => {
    bench.scripted.always("checkpoints.write", "lost-request");
    bench.scripted.on("ownership.change", () => {
      bench.scripted.always("checkpoints.write", "passes");
      tenure.end("stuck");
    });
    expect(await code("200")).to.equal("lease-lost");
    expect([tenure.endReason, at()]).to.deep.equal(["stuck", position("100")]);
    expect(bench.doubts).to.deep.equal(["s1"]);
  });

  it("that stays ambiguous after every raise gives the tenure up in the end", async () => {
    bench.scripted.always("checkpoints.write", "lost-request");
    expect(await code("200")).to.equal("lease-lost");
    expect([tenure.endReason, tenure.fencingToken]).to.deep.equal(["store-lost", 8]);
    expect(bench.doubts).to.deep.equal(["s1"]);
  });

  it("raises the epoch with the history archived: no epoch is left out", async () => {
    lostUntilRaised("lost-request");
    await bench.checkpoint(tenure, "200");
    await bench.run(bench.held().release("stop"));
    expect(bench.scripted.epochs("s1")).to.deep.equal([4, 5]);
    expect(bench.row().previousTenure).to.include({ epoch: 6, reason: "raised" });
  });

  it("cannot be begun again at the epoch it was raised to", async () => {
    lostUntilRaised("lost-request");
    await bench.checkpoint(tenure, "200");
    tenure.end("stuck");
    await bench.run(bench.lane().receive());
    expect(bench.epochs()).to.deep.equal([5]);
  });
});
