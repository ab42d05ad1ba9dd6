import { expect } from "chai";
import { position } from "../../../src/model/position.js";
import type { TestFleet } from "../../../src/testing/index.js";
import { Bench, handler } from "./bench.js";
import { expectWholeHistory } from "./history.js";
import type { Place } from "./place.js";

/** Leases of fixed partitions in a fleet of processes. The cases are one story, told by rows, status and the log. */
export function leaseCases(place: () => Place): void {
  describe("leases of fixed partitions in a fleet of processes", function () {
    this.timeout(180_000);
    let bench: Bench;
    let fleet: TestFleet;
    const keys = ["a", "b", "c", "d"];

    before(() => {
      bench = new Bench(place(), "leases");
    });

    after(async () => {
      await bench.close();
    });

    /** The turns done of one partition, in the order in which they were. */
    const turns = (leaseKey: string, message = "done"): readonly number[] =>
      fleet
        .of("logged")
        .filter((line) => line.message === message && line.fields["leaseKey"] === leaseKey)
        .map(({ fields }) => fields["turn"] as number);
    const last = (leaseKey: string): number => turns(leaseKey).at(-1) ?? 0;

    /** Each partition gets a further turn. */
    async function goOn(): Promise<void> {
      const before = new Map(keys.map((key) => [key, last(key)]));
      await fleet.until(() => keys.every((key) => last(key) > (before.get(key) ?? 0)), {
        what: "further turns",
      });
    }

    async function ownedBy(...labels: readonly string[]): Promise<void> {
      await fleet.untilStatus(
        ({ leases }) => {
          const owners = labels.map((label) => fleet.workers.find((one) => one.label === label)?.workerId);
          return (
            leases.length === keys.length &&
            leases.every(({ owner, state }) => state === "owned" && owners.includes(owner ?? "")) &&
            owners.every((id) => leases.some(({ owner }) => owner === id))
          );
        },
        { what: `all leases to be of ${labels.join(" and ")}` },
      );
    }

    it("are taken by a worker that comes first: the rows name it, its epoch and how it came by them", async () => {
      fleet = await bench.fleet({
        partitions: { partitions: keys, turnIntervalMs: 200 },
        handler,
        withinMs: 120_000,
      });
      await ownedBy("w1");
      for (const key of keys) {
        const { tenure, ...row } = (await bench.row(key)) ?? {};
        expect(row["leaseOwner"]?.S).to.equal(fleet.workers[0]?.workerId);
        expect(tenure?.M?.["worker"]?.S).to.equal(fleet.workers[0]?.workerId);
        expect(tenure?.M?.["epoch"]?.N).to.equal(row["leaseCounter"]?.N);
        expect(tenure?.M?.["reason"]?.S).to.equal("taken");
      }
    });

    it("carry their checkpoints in their rows, which never go back", async () => {
      await goOn();
      const seen = Number((await bench.row("a"))?.["checkpoint"]?.S);
      expect(seen).to.be.at.least(1);
      // Written by the turn's own work, which then says so.
      await fleet.until(() => turns("a").includes(seen), { what: "the turn of the checkpoint" });
      await goOn();
      expect(Number((await bench.row("a"))?.["checkpoint"]?.S)).to.be.greaterThan(seen);
    });

    it("are handed to a worker that joins: row, status and history show from whom and why", async () => {
      await fleet.start();
      await ownedBy("w1", "w2");
      const { leases } = await fleet.status();
      const moved = leases.filter(({ owner }) => owner === fleet.workers[1]?.workerId);
      const store = bench.store();
      for (const { leaseKey, epoch } of moved) {
        const row = await bench.row(leaseKey);
        expect(row?.["tenure"]?.M?.["reason"]?.S).to.equal("handoff");
        expect(row?.["previousTenure"]?.M?.["worker"]?.S).to.equal(fleet.workers[0]?.workerId);
        expect(row?.["leaseCounter"]?.N).to.equal(String(epoch));
        const history = await store.history.list(leaseKey);
        expect(
          history.map((entry) => entry.epoch),
          leaseKey,
        ).to.include((epoch ?? 0) - 2);
      }
      await goOn();
    });

    it("let no checkpoint, handoff or release of an earlier owner through, whatever it believes", async () => {
      const { leases } = await fleet.status();
      const moved = leases.find(({ owner }) => owner === fleet.workers[1]?.workerId)!;
      const deposed = fleet.workers[0]?.workerId ?? "";
      const store = bench.store();
      const { leases: rows } = await store.leases.scan({ consistent: true });
      const row = rows.find(({ leaseKey }) => leaseKey === moved.leaseKey)!;
      const late = { leaseKey: row.leaseKey, owner: deposed, epoch: row.epoch - 1, writeId: "late" };
      const checkpoint = await store.checkpoints.write({
        ...late,
        expect: { checkpoint: row.checkpoint, pendingCheckpoint: undefined },
        checkpoint: position("999999999"),
      });
      const release = await store.ownership.change({
        leaseKey: row.leaseKey,
        expect: { epoch: late.epoch, owner: deposed, marked: false },
        tenure: { epoch: row.epoch, reason: "released", since: "2026-01-01T00:00:00.000Z" },
        previousTenure: row.previousTenure,
        writeId: "late",
        wornOut: false,
        switchesOwner: false,
      });
      // As the planner asked it to hand over while it still was the owner: to a third one.
      const handoff = await store.ownership.change({
        leaseKey: row.leaseKey,
        expect: { epoch: late.epoch, owner: deposed, marked: false },
        tenure: {
          epoch: row.epoch,
          reason: "handoff",
          worker: "a-third-0123456789ab",
          since: "2026-01-01T00:00:00.000Z",
        },
        previousTenure: row.previousTenure,
        writeId: "late",
        wornOut: false,
        switchesOwner: true,
      });
      for (const outcome of [checkpoint, release, handoff]) {
        // What the row shows comes along, whether the store returns it by itself or not.
        expect(outcome.ok).to.equal(false);
        expect(outcome.ok ? undefined : outcome.current?.owner).to.equal(moved.owner);
      }
      expect((await bench.row(row.leaseKey))?.["leaseCounter"]?.N).to.equal(String(row.epoch));
    });

    it("of a worker that was killed go on with the turn after the last one checkpointed", async () => {
      const [victim] = fleet.workers;
      await fleet.kill(victim!);
      await ownedBy("w2");
      await goOn();
      for (const key of keys) {
        // At least once, and in order: a turn comes again at most where the kill fell between its work and its checkpoint.
        const all = turns(key, "working");
        for (const [i, turn] of all.entries()) {
          expect(turn - (all[i - 1] ?? 0), `${key}: ${all.join(" ")}`).to.be.oneOf([0, 1]);
        }
      }
    });

    it("are given back by the last worker that leaves, and a later fleet goes on after their checkpoints", async () => {
      await fleet.stop();
      const done = new Map(keys.map((key) => [key, last(key)]));
      const { leases } = await fleet.status();
      expect(leases.map(({ owner, state }) => [owner, state])).to.deep.equal(keys.map(() => [null, "free"]));
      for (const key of keys) {
        expect((await bench.row(key))?.["checkpoint"]?.S).to.equal(String(done.get(key)));
      }
      fleet = await bench.fleet({
        partitions: { partitions: keys, turnIntervalMs: 200 },
        handler,
        workers: 2,
        withinMs: 120_000,
      });
      await goOn();
      for (const key of keys) expect(turns(key, "working")[0]).to.equal((done.get(key) ?? 0) + 1);
      await fleet.stop();
    });

    it("have every epoch once in their history, from their creation on", async () => {
      await expectWholeHistory(bench, keys.length);
    });
  });
}
