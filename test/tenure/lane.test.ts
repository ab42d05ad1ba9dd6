import { expect } from "chai";
import { position } from "../../src/model/position.js";
import type { FenceKind } from "../../src/model/reasons.js";
import type { TenureChange } from "../../src/store/ownership.js";
import { row } from "../history/lease-rows.js";
import { Bench } from "./bench.js";

describe("the lane of a lease", () => {
  let bench: Bench;

  const make = (rows: Readonly<Record<string, string>>): void => {
    bench = new Bench(rows);
  };

  afterEach(() => {
    bench.close();
  });

  describe("takes", () => {
    it("a free lease, and starts from the checkpoint that its own take returned", async () => {
      make({ s1: "free@5:300" });
      const read = { ...bench.row(), checkpoint: position("200") };
      expect(await bench.run(bench.lane().take(read, undefined))).to.equal("begun");
      expect(bench.row()).to.include({ owner: "me", epoch: 6 });
      expect(bench.held()).to.include({ how: "taken", from: undefined, fencingToken: 6 });
      expect(bench.begun[0]!.row.checkpoint).to.deep.equal(position("300"));
    });

    it("a lease of a fenced worker, and says how and from whom", async () => {
      make({ s1: "dead@5" });
      await bench.run(bench.lane().take(bench.row(), "parent"));
      expect(bench.held()).to.include({ how: "taken-from-fenced", from: "dead" });
      expect(bench.row().tenure).to.include({ reason: "taken-from-fenced", cause: "parent", worker: "me" });
    });

    it("nothing on a row that changed since it was read", async () => {
      make({ s1: "free@5" });
      const stale = bench.row();
      bench.scripted.put({ ...stale, epoch: 6, owner: "other" });
      expect(await bench.run(bench.lane().take(stale, undefined))).to.equal("refused");
      expect([bench.begun.length, bench.doubts.length]).to.deep.equal([0, 0]);
    });

    it("nothing that is marked deleted", async () => {
      make({ s1: "free@5" });
      const marked = bench.scripted.put({ ...bench.row(), marked: true });
      expect(await bench.run(bench.lane().take(marked, undefined))).to.equal("skipped");
      expect(bench.scripted.calls).to.have.length(0);
    });

    for (const [when, arrange] of [
      ["while it holds it", () => bench.hold()],
      ["without belief", () => bench.time.advance(9_000)],
      ["while draining", async () => void (bench.mode = "draining")],
      ["when closed", async () => void (bench.mode = "closed")],
      ["while its own stuck processor of the lease still runs", async () => void (bench.unfit = ["s1"])],
    ] as const) {
      it(`nothing ${when}: not even the history is written`, async () => {
        make({ s1: "me@5" });
        await arrange();
        const before = bench.scripted.count("history.archive") + bench.writes;
        expect(await bench.run(bench.lane().take({ ...bench.row(), epoch: 5 }, "left"))).to.equal("skipped");
        expect(bench.scripted.count("history.archive") + bench.writes).to.equal(before);
      });
    }

    it("nothing when the belief ran out while the history was written", async () => {
      make({ s1: "free@5" });
      bench.scripted.next("history.archive", "lost-request", "passes");
      bench.scripted.on("history.archive", () => bench.clock.jumpWall(9_000));
      const taking = bench.lane().take(bench.row(), undefined);
      expect(await bench.time.runUntilSettled(taking)).to.equal("skipped");
      expect(bench.writes).to.equal(0);
    });

    it("begins nothing when an operator's fence was read before the answer came", async () => {
      make({ s1: "free@5" });
      bench.scripted.on("ownership.change", () => {
        bench.mode = "fenced";
      });
      expect(await bench.time.runUntilSettled(bench.lane().take(bench.row(), undefined))).to.equal("unknown");
      expect(bench.row().owner).to.equal("me");
      expect([bench.begun.length, bench.doubts.length]).to.deep.equal([0, 1]);
    });

    it("begins nothing when its belief lapsed before the answer came", async () => {
      make({ s1: "free@5" });
      bench.scripted.on("ownership.change", () => bench.clock.jumpWall(9_000));
      expect(await bench.time.runUntilSettled(bench.lane().take(bench.row(), undefined))).to.equal("unknown");
      expect(bench.row().owner).to.equal("me");
      expect([bench.begun.length, bench.doubts]).to.deep.equal([0, ["s1"]]);
    });

    it("puts a take of unknown outcome in doubt at once: nobody else would look before the next reconcile", async () => {
      make({ s1: "free@5" });
      bench.scripted.always("ownership.change", "lost-answer");
      expect(await bench.run(bench.lane().take(bench.row(), undefined))).to.equal("unknown");
      expect(bench.doubts).to.deep.equal(["s1"]);
      await bench.run(bench.lane().reconcile());
      expect(bench.held()).to.include({ fencingToken: 6, how: "taken" });
    });

    it("puts a take in doubt that an earlier one of its own, landed late, has refused", async () => {
      make({ s1: "free@5" });
      const read = bench.row();
      bench.scripted.always("ownership.change", "late");
      await bench.run(bench.lane().take(read, undefined));
      bench.scripted.always("ownership.change", "passes");
      await bench.scripted.land();
      bench.doubts.length = 0;
      expect(await bench.run(bench.lane().take(read, undefined))).to.equal("refused");
      expect(bench.doubts).to.deep.equal(["s1"]);
    });

    it("once, however late or doubled its answer", async () => {
      make({ s1: "free@5" });
      bench.scripted.next("ownership.change", "lost-answer");
      await bench.run(bench.lane().take(bench.row(), undefined));
      await bench.run(bench.lane().receive());
      await bench.run(bench.lane().reconcile());
      expect(bench.epochs()).to.deep.equal([6]);
    });

    it("no epoch twice, even on a row that somebody deleted and made again by hand at a lower one", async () => {
      make({ s1: "me@5" });
      (await bench.hold()).end("stuck");
      bench.scripted.put(row("s1", "free@1"));
      expect(await bench.run(bench.lane().take(bench.row(), undefined))).to.equal("unknown");
      expect([bench.epochs(), bench.doubts]).to.deep.equal([[5], ["s1"]]);
    });

    it("no epoch that it has begun, on a row made again by hand just below it", async () => {
      make({ s1: "me@5" });
      (await bench.hold()).end("stuck");
      bench.scripted.put(row("s1", "free@4"));
      expect(await bench.run(bench.lane().take(bench.row(), undefined))).to.equal("unknown");
      expect([bench.epochs(), bench.doubts]).to.deep.equal([[5], ["s1"]]);
    });

    const wearing: readonly (readonly [string, string, FenceKind | undefined, string | undefined, number])[] =
      [
        ["a worker that an observer fenced", "dead@5", "observer", undefined, 1],
        ["a process that its parent saw exit", "dead@5", "parent", undefined, 1],
        ["a worker that left", "dead@5", "left", undefined, 0],
        ["nobody, released as stuck", "free@5", undefined, "stuck", 1],
        ["nobody, released at a stop", "free@5", undefined, "stop", 0],
        ["nobody, released by failure", "free@5", undefined, "failed", 0],
      ];
    for (const [from, sketch, fence, cause, count] of wearing) {
      it(`from ${from} ${count === 1 ? "wear an owner out" : "wear nobody out"}`, async () => {
        make({ s1: sketch });
        const read = bench.row();
        if (cause === "stuck" || cause === "stop" || cause === "failed") {
          bench.scripted.put({ ...read, tenure: { ...read.tenure!, reason: "released", cause } });
        }
        await bench.run(bench.lane().take(bench.row(), fence));
        expect(bench.row().ownersWornOut).to.equal(count);
      });
    }
  });

  describe("receives", () => {
    it("what the row names it for, from a consistent read, at the checkpoint read", async () => {
      make({ s1: "me@5:700" });
      await bench.run(bench.lane().receive());
      expect(bench.held().row.checkpoint).to.deep.equal(position("700"));
      expect([bench.epochs(), bench.writes]).to.deep.equal([[5], 0]);
    });

    it("nothing by the note alone, when the row names another or nobody", async () => {
      make({ s1: "other@5", s2: "free@5" });
      for (const key of ["s1", "s2", "s3"]) await bench.run(bench.lane(key).receive());
      expect(bench.begun).to.have.length(0);
      expect([bench.gone, bench.doubts]).to.deep.equal([["s3"], []]);
    });

    it("nothing that only a stale read shows, and what no stale read shows yet", async () => {
      make({ s1: "me@5", s2: "other@5" });
      bench.scripted.stale = bench.scripted.tables.snapshot();
      bench.scripted.put(row("s1", "other@6"));
      bench.scripted.put(row("s2", "me@6:400"));
      for (const key of ["s1", "s2"]) await bench.run(bench.lane(key).receive());
      expect(bench.begun.map(({ leaseKey, fencingToken }) => [leaseKey, fencingToken])).to.deep.equal([
        ["s2", 6],
      ]);
    });

    it("nothing of a row that is marked", async () => {
      make({ s1: "me@5" });
      bench.scripted.put({ ...bench.row(), marked: true });
      await bench.run(bench.lane().receive());
      expect(bench.begun).to.have.length(0);
    });

    it("once, however often it is told", async () => {
      make({ s1: "me@5" });
      await bench.run(Promise.all([bench.lane().receive(), bench.lane().receive()]));
      expect(bench.epochs()).to.deep.equal([5]);
    });

    it("no epoch again that it gave up: a note that comes late begins nothing", async () => {
      make({ s1: "me@5" });
      const tenure = await bench.hold();
      tenure.end("stuck");
      await bench.run(bench.lane().receive());
      expect([bench.epochs(), bench.writes]).to.deep.equal([[5], 0]);
    });

    it("a lease again that came back at a higher epoch", async () => {
      make({ s1: "me@5" });
      await bench.hold();
      await bench.run(bench.lane().handOff("other", "handoff"));
      bench.scripted.put({ ...bench.row(), owner: "me", epoch: 7 });
      await bench.run(bench.lane().receive());
      expect(bench.epochs()).to.deep.equal([5, 7]);
    });

    it("nothing without belief, and looks again later", async () => {
      make({ s1: "me@5" });
      await bench.time.advance(9_000);
      await bench.time.runUntilSettled(bench.lane().receive());
      expect([bench.begun.length, bench.doubts]).to.deep.equal([0, ["s1"]]);
    });

    it("nothing when closed", async () => {
      make({ s1: "me@5" });
      bench.mode = "closed";
      await bench.run(bench.lane().receive());
      expect([bench.begun.length, bench.writes]).to.deep.equal([0, 0]);
    });

    it("nothing when the row cannot be read, and looks again later", async () => {
      make({ s1: "me@5" });
      bench.scripted.always("leases.get", "lost-answer");
      await bench.run(bench.lane().receive());
      expect([bench.begun.length, bench.doubts]).to.deep.equal([0, ["s1"]]);
    });
  });

  describe("gives", () => {
    for (const [what, give] of [
      ["handoff", (): Promise<unknown> => bench.lane().handOff("other", "handoff")],
      ["release", (): Promise<unknown> => bench.held().release("stop")],
    ] as const) {
      it(`a ${what} that ends the belief when it is sent, not when it is answered`, async () => {
        make({ s1: "me@5" });
        const tenure = await bench.hold();
        const inside: unknown[] = [];
        bench.scripted.on("history.archive", () => inside.push(tenure.remainingMs() > 0));
        bench.scripted.on("ownership.change", () =>
          inside.push(tenure.remainingMs(), tenure.signal.aborted, bench.row().epoch),
        );
        await bench.run(give());
        expect(inside).to.deep.equal([true, 0, true, 5]);
      });

      it(`a ${what} that was refused: regained by a raise only`, async () => {
        make({ s1: "me@5" });
        const tenure = await bench.hold();
        bench.scripted.on("ownership.change", () => {
          bench.scripted.on("ownership.change", () => {});
          bench.scripted.put({ ...bench.row(), owner: "by-hand" });
        });
        await bench.run(give());
        bench.scripted.put({ ...bench.row(), owner: "me" });
        expect([tenure.ended, bench.doubts]).to.deep.equal([true, ["s1"]]);
        await bench.run(bench.lane().receive());
        expect(bench.epochs(), "the old epoch is given up").to.deep.equal([5]);
        await bench.run(bench.lane().reconcile());
        expect(bench.epochs()).to.deep.equal([5, 6]);
        expect(bench.row().tenure).to.include({ reason: "resumed", worker: "me" });
      });

      it(`a ${what} of unknown outcome: regained by a raise, which the late one loses against`, async () => {
        make({ s1: "me@5" });
        await bench.hold();
        bench.scripted.always("ownership.change", "late");
        await bench.run(give());
        bench.scripted.always("ownership.change", "passes");
        expect(bench.doubts).to.deep.equal(["s1"]);
        expect(bench.tenures.get("s1")).to.equal(undefined);
        await bench.run(bench.lane().reconcile());
        await bench.scripted.land();
        expect(bench.row()).to.include({ owner: "me", epoch: 6 });
        expect(bench.epochs()).to.deep.equal([5, 6]);
      });

      it(`a ${what} that landed after all: nothing of it is held here`, async () => {
        make({ s1: "me@5" });
        await bench.hold();
        bench.scripted.always("ownership.change", "lost-answer");
        await bench.run(give());
        await bench.run(bench.lane().reconcile());
        expect(bench.row().epoch).to.equal(6);
        expect(bench.epochs()).to.deep.equal([5]);
      });

      it(`a ${what} that could not be sent: the drained work is not taken up, the lease is regained by a raise`, async () => {
        make({ s1: "me@5" });
        const tenure = await bench.hold();
        bench.scripted.next("history.archive", "denied");
        await bench.run(give());
        expect([tenure.ended, bench.doubts, bench.writes]).to.deep.equal([true, ["s1"], 0]);
        await bench.run(bench.lane().reconcile());
        expect(bench.epochs()).to.deep.equal([5, 6]);
      });
    }

    it("tells to whom, at which epoch and why", async () => {
      make({ s1: "me@5", s2: "me@8" });
      await bench.hold("s1");
      await bench.hold("s2");
      expect(await bench.run(bench.lane("s1").handOff("other", "stop"))).to.equal("given");
      await bench.run(bench.held("s2").release("stuck"));
      expect(bench.all("handed-off")[0]).to.include({ target: "other", epoch: 5, reason: "stop" });
      expect(bench.all("released")[0]).to.include({ leaseKey: "s2", epoch: 8, reason: "stuck" });
      expect(bench.row("s1")).to.include({ owner: "other", epoch: 6 });
      expect(bench.row("s2").tenure).to.include({ reason: "released", cause: "stuck", epoch: 9 });
    });

    it("wears nobody out", async () => {
      make({ s1: "me@5" });
      await bench.hold();
      await bench.run(bench.lane().handOff("other", "handoff"));
      expect(bench.row().ownersWornOut).to.equal(0);
    });

    it("nothing that it does not hold", async () => {
      make({ s1: "me@5" });
      expect(await bench.run(bench.lane().handOff("other", "handoff"))).to.equal("not-held");
      const old = await bench.hold();
      old.end("stuck");
      await bench.run(bench.lane().reconcile());
      const before = bench.scripted.calls.length;
      await bench.run(old.release("stuck"));
      expect(bench.scripted.calls).to.have.length(before);
      expect(bench.row(), "an old tenure cannot give away the new one's epoch").to.include({
        owner: "me",
        epoch: 6,
      });
    });
  });

  describe("resumes", () => {
    it("what lapsed, under a raised epoch, from the row that the raise returned", async () => {
      make({ s1: "me@5:100", s2: "me@8" });
      const lapsed = [await bench.hold("s1"), await bench.hold("s2")];
      await bench.time.advance(9_000);
      expect(lapsed.map(({ endReason }) => endReason)).to.deep.equal(["lease-lost", "lease-lost"]);
      expect(bench.tenures.hasLapsed).to.equal(true);
      bench.beat();
      expect(bench.tenures.count, "belief alone brings nothing back").to.equal(0);
      bench.scripted.put({ ...bench.row("s1"), checkpoint: position("150") });
      await bench.run(bench.tenures.resume());
      expect(bench.tenures.held().map(({ fencingToken }) => fencingToken)).to.deep.equal([6, 9]);
      expect(bench.held("s1")).to.include({ how: "resumed" });
      expect(bench.held("s1").row.checkpoint).to.deep.equal(position("150"));
      expect(bench.tenures.hasLapsed).to.equal(false);
    });

    it("nothing that another has taken meanwhile", async () => {
      make({ s1: "me@5" });
      await bench.hold();
      await bench.time.advance(9_000);
      bench.scripted.put({ ...bench.row(), owner: "other", epoch: 6 });
      await bench.run(bench.tenures.resume());
      expect(bench.row()).to.include({ owner: "other", epoch: 6 });
      expect(bench.epochs()).to.deep.equal([5]);
    });

    it("nothing while draining: what lapsed is released", async () => {
      make({ s1: "me@5" });
      await bench.hold();
      await bench.time.advance(9_000);
      bench.beat();
      bench.mode = "draining";
      await bench.run(bench.tenures.resume());
      expect(bench.row().tenure).to.include({ reason: "released", cause: "stop" });
    });

    it("nothing without belief, and does not forget what lapsed a second time before its turn", async () => {
      make({ s1: "me@5" });
      await bench.hold();
      await bench.time.advance(9_000);
      await bench.time.runUntilSettled(bench.tenures.resume());
      expect([bench.writes, bench.doubts]).to.deep.equal([0, ["s1"]]);
    });

    it("nothing that a reconcile has begun before its turn: no lease is worked twice in one process", async () => {
      make({ s1: "me@5" });
      await bench.hold();
      await bench.time.advance(9_000);
      bench.beat();
      const reconciled = bench.lane().reconcile();
      await bench.run(bench.tenures.resume());
      await bench.run(reconciled);
      expect([bench.epochs(), bench.row().epoch, bench.begun.filter((t) => !t.ended).length]).to.deep.equal([
        [5, 6],
        6,
        1,
      ]);
    });

    it("nothing when the belief ran out again while the history was written", async () => {
      make({ s1: "me@5" });
      await bench.hold();
      await bench.time.advance(9_000);
      bench.beat();
      bench.scripted.on("history.archive", () => bench.clock.jumpWall(9_000));
      await bench.time.runUntilSettled(bench.tenures.resume());
      expect([bench.writes, bench.doubts]).to.deep.equal([0, ["s1"]]);
    });

    it("wears nobody out", async () => {
      make({ s1: "me@5" });
      await bench.hold();
      await bench.time.advance(9_000);
      bench.beat();
      await bench.run(bench.tenures.resume());
      expect(bench.row()).to.include({ ownersWornOut: 0, ownerSwitchesSinceCheckpoint: 0 });
    });

    it("eight at a time, so that a beat finds room beside them", async () => {
      const rows = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`s${String(i)}`, "me@5"]));
      make(rows);
      for (const key of Object.keys(rows)) await bench.hold(key);
      await bench.time.advance(9_000);
      bench.beat();
      bench.scripted.always("ownership.change", "lost-request");
      const resuming = bench.tenures.resume();
      await bench.time.advance(1_000);
      expect(bench.scripted.count("ownership.change")).to.equal(8);
      bench.scripted.always("ownership.change", "passes");
      await bench.run(resuming);
      expect(bench.tenures.count).to.equal(20);
    });

    it("work that was drained in vain: the old tenure ends, a raised one begins", async () => {
      make({ s1: "me@5" });
      const tenure = await bench.hold();
      await bench.run(bench.lane().restart());
      expect(tenure.endReason).to.equal("handoff");
      expect(bench.held()).to.include({ fencingToken: 6, how: "resumed" });
    });
  });

  describe("reconciles", () => {
    it("a row that names it and that it never began: a handoff whose note is late", async () => {
      make({ s1: "me@5" });
      await bench.run(bench.lane().reconcile());
      expect([bench.epochs(), bench.writes, bench.all("reconciled").length]).to.deep.equal([[5], 0, 0]);
    });

    it("a row at an epoch that it may not begin again: raised, and said so", async () => {
      make({ s1: "me@5" });
      (await bench.hold()).end("stuck");
      await bench.run(bench.lane().reconcile());
      expect(bench.held().fencingToken).to.equal(6);
      expect(bench.all("reconciled")[0]).to.include({ leaseKey: "s1", epoch: 5 });
    });

    for (const [what, cause, arrange] of [
      [
        "finished",
        "partition-ended",
        () => bench.scripted.put({ ...bench.row(), checkpoint: position("SHARD_END") }),
      ],
      ["received while draining", "stop", () => (bench.mode = "draining")],
      ["that it may not process, its stuck processor still running", "stuck", () => (bench.unfit = ["s1"])],
    ] as const) {
      it(`a lease ${what}: released, and told of like every change of owner`, async () => {
        make({ s1: "me@5" });
        arrange();
        await bench.run(bench.lane().reconcile());
        expect(bench.row().owner).to.equal(undefined);
        expect(bench.row().tenure).to.include({ epoch: 6, reason: "released", cause });
        expect(bench.all("released")[0]).to.include({ leaseKey: "s1", epoch: 5, reason: cause });
        expect(bench.begun).to.have.length(0);
      });
    }

    it("gives an epoch up by sending its release, whatever comes of it", async () => {
      make({ s1: "me@5" });
      bench.unfit = ["s1"];
      bench.scripted.next("ownership.change", "denied");
      await bench.run(bench.lane().reconcile());
      expect(bench.doubts).to.deep.equal(["s1"]);
      bench.unfit = [];
      await bench.run(bench.lane().receive());
      expect(bench.begun).to.have.length(0);
      await bench.run(bench.lane().reconcile());
      expect(bench.epochs()).to.deep.equal([6]);
    });

    it("nothing that runs, names another, is marked or gone", async () => {
      make({ s1: "me@5", s2: "other@5", s3: "me@5" });
      await bench.hold("s1");
      bench.scripted.put({ ...bench.row("s3"), marked: true });
      for (const key of ["s1", "s2", "s3", "s4"]) await bench.run(bench.lane(key).reconcile());
      expect([bench.epochs("s1"), bench.begun.length, bench.writes]).to.deep.equal([[5], 1, 0]);
    });

    it("nothing when closed: it does not even read", async () => {
      make({ s1: "me@5" });
      bench.mode = "closed";
      await bench.run(bench.lane().reconcile());
      expect(bench.scripted.calls).to.have.length(0);
    });

    it("tries again when the raise was refused by a late write of its own", async () => {
      make({ s1: "me@5" });
      (await bench.hold()).end("stuck");
      bench.scripted.always("ownership.change", "late");
      await bench.run(bench.lane().reconcile());
      bench.scripted.always("ownership.change", "passes");
      bench.scripted.on("ownership.change", () => void bench.scripted.land());
      await bench.run(bench.lane().reconcile());
      await bench.run(bench.lane().reconcile());
      expect(bench.held().fencingToken).to.equal(6);
      expect(bench.epochs()).to.deep.equal([5, 6]);
    });
  });

  it("has one write of a lease under way at a time, in the order asked for", async () => {
    make({ s1: "me@5" });
    const tenure = await bench.hold();
    bench.scripted.always("checkpoints.write", "lost-request");
    const checkpoint = tenure.checkpoint(position("200")).catch(() => undefined);
    const handoff = bench.lane().handOff("other", "handoff");
    await bench.healthy(5_000);
    expect(bench.scripted.count("ownership.change")).to.equal(0);
    expect([bench.lane().busy, bench.tenures.busy("s1")]).to.deep.equal([true, true]);
    bench.scripted.always("checkpoints.write", "passes");
    await bench.run(checkpoint);
    expect(await bench.run(handoff)).to.equal("given");
    expect(bench.row().checkpoint).to.deep.equal(position("200"));
    expect(bench.tenures.busy("s1")).to.equal(false);
  });

  it("does not hold one lease up for another", async () => {
    make({ s1: "me@5", s2: "me@5" });
    const tenure = await bench.hold("s1");
    bench.scripted.next("checkpoints.write", "lost-request");
    const slow = tenure.checkpoint(position("200"));
    await bench.hold("s2");
    await bench.checkpoint(bench.held("s2"), "300");
    expect(bench.row("s1").checkpoint).to.deep.equal(position("100"));
    await bench.run(slow);
  });

  it("archives before each of its changes, and leaves no epoch out", async () => {
    make({ s1: "free@5" });
    await bench.run(bench.lane().take(bench.row(), undefined));
    await bench.run(bench.lane().restart());
    await bench.run(bench.held().release("stuck"));
    await bench.run(bench.lane().take(bench.row(), undefined));
    expect(bench.scripted.epochs("s1")).to.deep.equal([4, 5, 6, 7]);
    const changes = bench.scripted.calls.filter(({ operation }) => operation === "ownership.change");
    expect(changes.map(({ args }) => (args[0] as TenureChange).previousTenure?.epoch)).to.deep.equal([
      5, 6, 7, 8,
    ]);
  });

  it("ends every tenure at once when the worker is fenced, and writes nothing", async () => {
    make({ s1: "me@5", s2: "me@8" });
    const held = [await bench.hold("s1"), await bench.hold("s2")];
    bench.belief.end();
    bench.tenures.endAll("fenced");
    expect(held.map(({ endReason }) => endReason)).to.deep.equal(["fenced", "fenced"]);
    expect([bench.writes, bench.tenures.hasLapsed]).to.deep.equal([0, false]);
  });
});
