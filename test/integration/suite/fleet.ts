import { expect } from "chai";
import { endpointEnvironment } from "../../../src/embedded/endpoints.js";
import type { LeaseInFleet } from "../../../src/index.js";
import type { Seen, TestFleet, TestStream, TestWorker } from "../../../src/testing/index.js";
import { runCli } from "../../cli/spawn-cli.js";
import { Bench, handler } from "./bench.js";
import { builtTesting } from "../../support/built.js";
import { expectWholeHistory, historyOf } from "./history.js";
import type { Place } from "./place.js";
import { workedIn } from "./worked.js";

type Logged = Seen & { readonly type: "logged"; readonly fields: Readonly<Record<string, unknown>> };

const planned: ReadonlySet<string> = new Set(["handoff", "stop", "partition-ended"]);

/** A fleet of processes over a stream. The cases are one story: each goes on with the fleet that the last one left. */
export function fleetCases(place: () => Place): void {
  describe("a fleet of processes over a stream", function () {
    this.timeout(180_000);
    let bench: Bench;
    let stream: TestStream;
    let fleet: TestFleet;
    const put: string[] = [];
    /** A worker that was killed, a lease of it, and an instant at which it held that. */
    let killed: { readonly worker: string; readonly lease: string; readonly at: Date };

    before(async () => {
      bench = new Bench(place(), "stream");
      const { createStream } = await builtTesting();
      stream = await createStream({
        endpoints: place().endpoints,
        streamName: bench.application,
        shards: 4,
      });
      bench.onClose(async () => {
        await stream.delete();
        stream.close();
      });
    });

    after(async () => {
      await bench.close();
    });

    /** One record for every sixteenth of the ring, so that each shard there can be gets some. */
    async function produce(round: string): Promise<readonly string[]> {
      const texts = Array.from({ length: 16 }, (_, i) => `${round}-${String(i)}`);
      await stream.put(texts);
      put.push(...texts);
      return texts;
    }

    const lines = (message: string): Logged[] =>
      (fleet.of("logged") as Logged[]).filter((line) => line.message === message);
    const textsOf = ({ fields }: Logged): readonly string[] => (fields["texts"] ?? []) as readonly string[];
    const notDone = (): readonly string[] => {
      const worked = workedIn(fleet.events);
      return put.filter((text) => !worked.has(text));
    };
    const allDone = (): boolean => notDone().length === 0;
    /** What is missing tells more than that something is. */
    async function untilDone(what: string): Promise<void> {
      try {
        await fleet.until(allDone, { what });
      } catch (error) {
        throw new Error(`${String(error)}; not done: ${notDone().join(", ")}`, { cause: error });
      }
    }

    /** Every open lease is owned by one of these, and each of them has some: shares go by load, not by number. */
    async function shared(workers: readonly TestWorker[]): Promise<void> {
      const ids = workers.map(({ workerId }) => workerId);
      await fleet.untilStatus(
        ({ leases }) => {
          const open = leases.filter(({ state }) => state !== "finished");
          const isOurs = ({ owner, state }: LeaseInFleet): boolean =>
            state === "owned" && owner !== null && ids.includes(owner);
          return open.every(isOurs) && ids.every((id) => open.some(({ owner }) => owner === id));
        },
        { what: `${workers.map(({ label }) => label).join(" and ")} to share the leases` },
      );
    }

    /** Puts a record on a lease of this worker. One that is just being moved takes it along: then it is put once more. */
    async function handed(to: TestWorker, text: string): Promise<Logged> {
      for (;;) {
        const { leases } = await fleet.status();
        const shards = await stream.openShards();
        const shard = shards.find(({ shardId }) =>
          leases.some(({ leaseKey, owner }) => leaseKey === shardId && owner === to.workerId),
        );
        if (shard === undefined) throw new Error(`${to.label} has no open shard`);
        const before = lines("working").length;
        await stream.put([text], shard);
        const line = await fleet.until(
          () =>
            lines("working")
              .slice(before)
              .find((one) => textsOf(one).includes(text)),
          { what: `${text} to be handed to a worker` },
        );
        if (line.label === to.label) return line;
      }
    }

    const worker = (label: string): TestWorker => fleet.workers.find((one) => one.label === label)!;

    it("reads a stream from its start, every shard of it", async () => {
      await produce("start");
      fleet = await bench.fleet({
        stream: { streamName: bench.application, idlePollIntervalMs: 250 },
        handler,
        discoveryIntervalMs: 1_000,
        withinMs: 120_000,
      });
      await untilDone("the first records");
      expect(new Set(lines("done").map(({ fields }) => fields["leaseKey"])).size).to.equal(4);
      const first = new Map(
        lines("begin")
          .toReversed()
          .map(({ fields }) => [fields["leaseKey"], fields["from"]]),
      );
      expect([...first.values()]).to.deep.equal(Array.from({ length: 4 }, () => "TRIM_HORIZON"));
    });

    it("gives each of three workers its share by handoffs, and nothing is read twice", async () => {
      await Promise.all([fleet.start(), fleet.start()]);
      await shared(fleet.workers);
      await produce("three");
      await untilDone("the records");
      const ends = fleet.of("tenure-ended").filter(({ reason }) => planned.has(reason));
      expect(new Set(ends.map(({ reason }) => reason))).to.deep.equal(new Set(["handoff"]));
      expect(twice(put)).to.deep.equal([]);
      const { planner, liveness } = await fleet.status();
      expect(fleet.workers.map(({ workerId }) => workerId)).to.include(planner);
      expect(liveness).to.equal("worker");
    });

    it("reads the children of a split and of a merge after their parents, and loses nothing", async () => {
      await produce("parents");
      const [first, second, third] = await stream.openShards();
      await stream.split(first!);
      await stream.merge(second!, third!);
      await produce("children");
      await fleet.until(() => allDone() && lines("ended").length === 3, { what: "the ends of the parents" });
      const working = lines("working").map(({ fields }) => fields["leaseKey"]);
      const children = new Set<unknown>();
      for (const { fields } of lines("ended")) {
        const last = working.lastIndexOf(fields["leaseKey"]);
        for (const child of fields["children"] as string[]) {
          children.add(child);
          expect(working.indexOf(child), `${child} after ${String(fields["leaseKey"])}`).to.be.greaterThan(
            last,
          );
        }
      }
      expect(children.size).to.equal(3);
      await shared(fleet.workers);
    });

    it("marks the parents deleted once their children have moved on, and does not make them again", async () => {
      await produce("moved-on");
      await fleet.until(() => fleet.of("lease-marked").length === 3, { what: "the parents to be marked" });
      const created = fleet.of("lease-created").length;
      const ended = lines("ended").map(({ fields }) => fields["leaseKey"]);
      await produce("after-marks");
      await untilDone("the records after the marks");
      const { leases } = await fleet.status();
      expect(leases).to.have.length(4);
      expect(leases.filter(({ leaseKey }) => ended.includes(leaseKey))).to.deep.equal([]);
      expect(fleet.of("lease-created")).to.have.length(created);
    });

    it("takes over from a worker that was killed, and reads on from its last checkpoints", async () => {
      const victim = worker("w1");
      await produce("before-kill");
      await fleet.kill(victim);
      // The dead hand nothing over: until its lease is over, what it has in the table it has.
      const { leases } = await fleet.status();
      const held = leases.find(({ owner }) => owner === victim.workerId)!;
      killed = { worker: victim.workerId!, lease: held.leaseKey, at: new Date() };
      await produce("after-kill");
      await shared([worker("w2"), worker("w3")]);
      await untilDone("the records after the kill");
      const fences = fleet.of("fenced").filter((event) => event.victim === victim.workerId);
      expect(fences).to.have.length(1);
      const { workers } = await fleet.status();
      expect(workers.find(({ workerId }) => workerId === victim.workerId)?.state).to.equal("fenced");
    });

    it("refuses the checkpoint of an owner that stood still and was deposed; it rejoins as a new worker", async () => {
      const frozen = worker("w2");
      const before = frozen.workerId!;
      // The handler of this one worker keeps it in its hands until its lease is over, and then checkpoints.
      const text = `hold:${frozen.label}`;
      const held = await handed(frozen, text);
      put.push(text);
      const { leaseKey, token } = held.fields;
      const doneBefore = lines("done").length;
      fleet.freeze(frozen);
      await fleet.untilStatus(
        ({ leases }) => leases.every(({ owner, state }) => owner !== before && state === "owned"),
        { what: "the others to take over" },
      );
      const successor = await fleet.until(
        () =>
          lines("done")
            .slice(doneBefore)
            .find((line) => textsOf(line).includes(text)),
        { what: "the successor to do the record" },
      );
      expect(successor.label).to.not.equal(frozen.label);
      expect(successor.fields["leaseKey"]).to.equal(leaseKey);
      expect(successor.fields["token"]).to.be.greaterThan(token as number);
      const row = await bench.row(leaseKey as string);
      fleet.thaw(frozen);
      const [refused] = await fleet.until(() => {
        const found = lines("checkpoint refused").filter((line) => textsOf(line).includes(text));
        return found.length > 0 && found;
      });
      expect(refused?.label).to.equal(frozen.label);
      expect(refused?.fields["code"]).to.equal("lease-lost");
      expect((await bench.row(leaseKey as string))?.["checkpoint"]).to.deep.equal(row?.["checkpoint"]);
      await fleet.until(() => frozen.workerId !== before, { what: "the frozen worker to rejoin" });
      await shared([frozen, worker("w3")]);
    });

    it("hands everything over at a clean stop, with nothing read twice", async () => {
      const leaver = worker("w3");
      const texts = [...(await produce("before-stop"))];
      await untilDone("the records before the stop");
      const stopped = fleet.stop(leaver);
      texts.push(...(await produce("during-stop")));
      await stopped;
      texts.push(...(await produce("after-stop")));
      await untilDone("the records after the stop");
      expect(twice(texts)).to.deep.equal([]);
      const { leases, workers } = await fleet.status();
      expect(leases.filter(({ state }) => state === "owned").map(({ owner }) => owner)).to.deep.equal(
        leases.filter(({ state }) => state !== "finished").map(() => worker("w2").workerId),
      );
      expect(workers.find(({ workerId }) => workerId === leaver.workerId)?.state).to.equal("left");
    });

    it("leaves a history with every epoch once, through all of it, which tells who held what and when", async () => {
      await fleet.stop();
      // The four shards of the start, and the three children.
      await expectWholeHistory(bench, 7);
      const history = historyOf(bench);
      const ofLease = await history.ask({ lease: killed.lease });
      const ending = ofLease.tenures.findLast((tenure) => tenure.worker === killed.worker);
      expect([ending?.endedBy, ending?.endCause]).to.deep.equal(["taken-from-fenced", "observer"]);
      const ofKilled = await history.ask({ worker: killed.worker });
      expect(ofKilled.tenures.map((tenure) => tenure.leaseKey)).to.include(killed.lease);
      expect(new Set(ofKilled.tenures.map((tenure) => tenure.worker))).to.deep.equal(
        new Set([killed.worker]),
      );
      const then = await history.ask({ lease: killed.lease, at: killed.at });
      expect(then.tenures.map((tenure) => [tenure.worker, tenure.epoch])).to.deep.equal([
        [killed.worker, ending?.epoch],
      ]);
      const verify = ["history", "verify", "--application", bench.application, "--json"];
      const { code, json } = await runCli(verify, endpointEnvironment(place().endpoints));
      expect(code).to.equal(0);
      expect(json()).to.include({ ok: true, leases: 7 });
    });

    /** Tenures that ended by a loss: a starved machine may let a belief lapse, and what was read comes again. */
    const lost = (): ReadonlySet<string> =>
      new Set(
        fleet
          .of("tenure-ended")
          .filter(({ reason }) => !planned.has(reason))
          .map(({ leaseKey, epoch }) => `${leaseKey} ${String(epoch)}`),
      );

    /** Those of the texts that were handed over again although their first reader had not lost its lease. */
    function twice(texts: readonly string[]): readonly string[] {
      const losses = lost();
      const handed = lines("working");
      return texts.filter((text) => {
        const readers = handed.filter((line) => textsOf(line).includes(text)).map(({ fields }) => fields);
        const excused = readers.filter(({ leaseKey, token }) =>
          losses.has(`${String(leaseKey)} ${String(token)}`),
        );
        return readers.length - excused.length > 1;
      });
    }
  });
}
