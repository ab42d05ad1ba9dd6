import { expect } from "chai";
import { hasCode } from "../../src/model/errors.js";
import type { SupervisorEvent } from "../../src/supervisor/events.js";
import {
  Supervisor,
  type SupervisorOptions,
  type SupervisorResult,
} from "../../src/supervisor/supervisor.js";
import type { VirtualClock } from "../../src/testing/virtual-clock.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import { FakeHost, FakeMembership, steadyRandom } from "./fakes.js";

describe("the supervisor", () => {
  let time: VirtualTime;
  let clock: VirtualClock;
  let host: FakeHost;
  let membership: FakeMembership;
  let events: SupervisorEvent[];

  beforeEach(() => {
    time = new VirtualTime();
    clock = time.clock();
    host = new FakeHost();
    membership = new FakeMembership();
    events = [];
  });

  afterEach(() => {
    expect(time.pendingTimers, "leaked timers").to.equal(0);
  });

  function supervise(labels: readonly string[] = ["w1"], options: Partial<SupervisorOptions> = {}) {
    return new Supervisor({
      labels,
      clock,
      random: steadyRandom,
      host,
      membership,
      by: "parent",
      onEvent: (event) => events.push(event),
      ...options,
    });
  }

  /** Stops a supervisor whose children obey, and returns its result. */
  async function end(supervisor: Supervisor, run: Promise<SupervisorResult>): Promise<SupervisorResult> {
    supervisor.stop();
    for (const child of host.children) child.exits({ code: 0 });
    return time.runUntilSettled(run);
  }

  const ofType = <T extends SupervisorEvent["type"]>(type: T) =>
    events.filter((event): event is Extract<SupervisorEvent, { type: T }> => event.type === type);

  describe("starting", () => {
    it("starts one child under each label", async () => {
      const supervisor = supervise(["w1", "w2", "w3"]);
      const run = supervisor.run();
      expect(host.children.map(({ label }) => label)).to.deep.equal(["w1", "w2", "w3"]);
      await end(supervisor, run);
    });

    it("starts the children once, however often it is asked to run", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      expect(supervisor.run()).to.equal(run);
      expect(host.children).to.have.length(1);
      await end(supervisor, run);
    });

    for (const labels of [[], ["w1", "w1"]]) {
      it(`refuses the labels ${JSON.stringify(labels)}, naming them`, () => {
        expect(() => supervise(labels))
          .to.throw(JSON.stringify(labels))
          .and.to.satisfy((error: unknown) => hasCode(error, "invalid-option"));
      });
    }

    it("starts nothing when it was stopped before it ran", async () => {
      const supervisor = supervise();
      supervisor.stop();
      await time.runUntilSettled(supervisor.run());
      expect(host.children).to.have.length(0);
    });
  });

  describe("an announcement", () => {
    it("is acknowledged to the child that made it", async () => {
      const supervisor = supervise(["w1", "w2"]);
      const run = supervisor.run();
      host.last("w2").announces("w2-a");
      expect(host.last("w2").heard).to.deep.equal([{ leasehold: "acknowledged", workerId: "w2-a" }]);
      expect(host.last("w1").heard).to.have.length(0);
      await end(supervisor, run);
    });

    it("writes nothing while the child lives", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().announces("a");
      await time.advance(120_000);
      expect(membership.calls).to.have.length(0);
      host.last().says({ leasehold: "left", workerId: "a" });
      await end(supervisor, run);
    });

    it("that is read after the exit event is fenced and not acknowledged", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      const child = host.last();
      child.exits({ signal: "SIGKILL" });
      child.announces("late");
      await time.settle();
      expect(membership.fenced).to.deep.equal(["late"]);
      expect(child.heard).to.have.length(0);
      await end(supervisor, run);
    });

    it("leaves what is no message of ours alone", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().says("hello");
      host.last().says({ leasehold: 7 });
      expect(host.last().heard).to.have.length(0);
      await end(supervisor, run);
    });
  });

  describe("a child's exit", () => {
    it("fences every worker that it announced, at once and in the parent's name", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().announces("a");
      host.last().announces("b");
      host.last().exits({ signal: "SIGKILL" });
      await time.settle();
      expect(membership.calls).to.deep.equal([
        { workerId: "a", by: "parent" },
        { workerId: "b", by: "parent" },
      ]);
      await end(supervisor, run);
    });

    it("fences no worker that is known to have left", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().announces("a");
      host.last().announces("b");
      host.last().says({ leasehold: "left", workerId: "a" });
      host.last().exits({ code: 1 });
      await time.settle();
      expect(membership.fenced).to.deep.equal(["b"]);
      await end(supervisor, run);
    });

    it("fences none of another child's workers", async () => {
      const supervisor = supervise(["w1", "w2"]);
      const run = supervisor.run();
      host.last("w1").announces("a");
      host.last("w2").announces("b");
      host.last("w1").exits({ code: 1 });
      await time.settle();
      expect(membership.fenced).to.deep.equal(["a"]);
      host.last("w2").says({ leasehold: "left", workerId: "b" });
      await end(supervisor, run);
    });

    it("takes a refused fence for an outcome", async () => {
      membership.answers = ["refused"];
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().announces("a");
      host.last().exits({ code: 1 });
      await time.settle();
      expect(ofType("worker-fenced")).to.deep.equal([
        { type: "worker-fenced", workerId: "a", outcome: "refused" },
      ]);
      await end(supervisor, run);
      expect(membership.calls).to.have.length(1);
    });

    it("takes a missing table for an outcome", async () => {
      membership.answers = ["no-table"];
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().announces("a");
      host.last().exits({ code: 1 });
      await time.settle();
      expect(ofType("worker-fenced")[0]?.outcome).to.equal("no-table");
      await end(supervisor, run);
    });

    for (const answer of ["unavailable", "denied"] as const) {
      it(`tries a fence again until it has an outcome (store ${answer})`, async () => {
        membership.answers = [answer, answer, answer, "fenced"];
        const supervisor = supervise();
        const run = supervisor.run();
        host.last().announces("a");
        host.last().exits({ code: 1 });
        await time.advance(700);
        expect(membership.fenced).to.deep.equal(["a", "a", "a", "a"]);
        expect(ofType("fence-failed").map(({ retryInMs }) => retryInMs)).to.deep.equal([75, 150, 300]);
        await end(supervisor, run);
      });
    }

    it("gives a try of a fence up that brings no answer, and makes another", async () => {
      membership.answers = ["silent", "fenced"];
      const supervisor = supervise(["w1"], { attemptTimeoutMs: 500 });
      const run = supervisor.run();
      host.last().announces("a");
      host.last().exits({ code: 1 });
      await time.advance(600);
      expect(membership.fenced).to.deep.equal(["a", "a"]);
      await end(supervisor, run);
    });

    it("does not keep the next child waiting for a fence", async () => {
      membership.answers = ["unavailable"];
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().announces("a");
      host.last().exits({ code: 1 });
      await time.advance(1_000);
      expect(host.children).to.have.length(2);
      membership.answers = ["fenced"];
      await end(supervisor, run);
    });

    it("counts once, though it be reported twice", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().exits({ code: 1 });
      host.children[0]?.exits({ code: 1 });
      await time.advance(1_000);
      expect(host.children).to.have.length(2);
      await end(supervisor, run);
    });
  });

  describe("a restart", () => {
    it("waits a second after the first failure, and twice as long after each further one, up to 30 s", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      for (let i = 0; i < 7; i++) {
        host.last().exits({ code: 1 });
        await time.advance(30_000);
      }
      expect(ofType("child-restarts").map(({ inMs }) => inMs)).to.deep.equal([
        1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
      ]);
      expect((await end(supervisor, run)).restarts).to.equal(7);
    });

    it("is not made before its time", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().exits({ code: 1 });
      await time.advance(999);
      expect(host.children).to.have.length(1);
      await time.advance(1);
      expect(host.children).to.have.length(2);
      await end(supervisor, run);
    });

    it("is scattered by a fifth to either side", async () => {
      for (const [chance, inMs] of [
        [0, 800],
        [1, 1_200],
      ] as const) {
        const supervisor = supervise(["w1"], { random: { next: () => chance, id: () => "" } });
        const run = supervisor.run();
        events.length = 0;
        host.last().exits({ code: 1 });
        expect(ofType("child-restarts")[0]?.inMs).to.equal(inMs);
        await end(supervisor, run);
      }
    });

    it("begins anew with the back-off once a child has lived for a minute", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().exits({ code: 1 });
      await time.advance(1_000);
      host.last().exits({ code: 1 });
      await time.advance(2_000);
      await time.advance(60_000);
      host.last().exits({ code: 1 });
      expect(ofType("child-restarts").map(({ inMs }) => inMs)).to.deep.equal([1_000, 2_000, 1_000]);
      await end(supervisor, run);
    });

    it("follows a child that ended without being asked, whatever its status", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().exits({ code: 0 });
      await time.advance(1_000);
      expect(host.children).to.have.length(2);
      await end(supervisor, run);
    });

    it("follows a process that could not be started at all", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().exits({ error: "spawn EAGAIN" });
      await time.advance(1_000);
      expect(host.children).to.have.length(2);
      await end(supervisor, run);
    });

    it("leaves the other children alone", async () => {
      const supervisor = supervise(["w1", "w2"]);
      const run = supervisor.run();
      host.last("w1").exits({ code: 1 });
      await time.advance(5_000);
      expect(host.children.map(({ label }) => label)).to.deep.equal(["w1", "w2", "w1"]);
      expect(host.last("w2").signals).to.have.length(0);
      await end(supervisor, run);
    });
  });

  describe("a stop", () => {
    it("is passed on to every child as SIGTERM, and waits for them all", async () => {
      const supervisor = supervise(["w1", "w2"]);
      const run = supervisor.run();
      let ended = false;
      void run.then(() => (ended = true));
      supervisor.stop();
      expect(host.children.map(({ signals }) => signals)).to.deep.equal([["SIGTERM"], ["SIGTERM"]]);
      host.last("w1").exits({ code: 0 });
      await time.settle();
      expect(ended).to.be.false;
      host.last("w2").exits({ code: 0 });
      expect(await time.runUntilSettled(run)).to.deep.equal({ restarts: 0, fatal: undefined });
    });

    it("is passed on again when it comes again", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      supervisor.stop();
      supervisor.stop();
      expect(host.last().signals).to.deep.equal(["SIGTERM", "SIGTERM"]);
      expect(ofType("stopping").map(({ force }) => force)).to.deep.equal([false, true]);
      host.last().exits({ code: 0 });
      await time.runUntilSettled(run);
    });

    it("starts no child again", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      supervisor.stop();
      host.last().exits({ code: 1 });
      await time.runUntilSettled(run);
      await time.advance(60_000);
      expect(host.children).to.have.length(1);
    });

    it("calls a restart off that waits for its time", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().exits({ code: 1 });
      supervisor.stop();
      await time.runUntilSettled(run);
      expect(time.nowMs).to.equal(0);
      expect(host.children).to.have.length(1);
    });

    it("fences a child's worker that did not leave", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().announces("a");
      supervisor.stop();
      host.last().exits({ signal: "SIGKILL" });
      await time.runUntilSettled(run);
      expect(membership.fenced).to.deep.equal(["a"]);
    });

    it("ends only when every fence has its outcome", async () => {
      membership.answers = ["unavailable", "unavailable", "fenced"];
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().announces("a");
      supervisor.stop();
      host.last().exits({ code: 1 });
      await time.runUntilSettled(run);
      expect(ofType("worker-fenced")).to.have.length(1);
      expect(time.nowMs).to.equal(75 + 150);
    });

    it("leaves a fence to the observers when the store stays away for 10 s", async () => {
      membership.answers = ["unavailable"];
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().announces("a");
      supervisor.stop();
      host.last().exits({ code: 1 });
      await time.runUntilSettled(run);
      expect(time.nowMs).to.equal(10_000);
    });

    it("kills a child that does not end in its time, and fences its workers", async () => {
      const supervisor = supervise(["w1"], { killAfterMs: 20_000 });
      const run = supervisor.run();
      host.last().announces("a");
      supervisor.stop();
      await time.advance(19_999);
      expect(host.last().signals).to.deep.equal(["SIGTERM"]);
      await time.advance(1);
      expect(host.last().signals).to.deep.equal(["SIGTERM", "SIGKILL"]);
      host.last().exits({ signal: "SIGKILL" });
      await time.runUntilSettled(run);
      expect(membership.fenced).to.deep.equal(["a"]);
    });
  });

  describe("a child that cannot start at all", () => {
    it("is not started again; the others are stopped and the reason is reported", async () => {
      const supervisor = supervise(["w1", "w2"]);
      const run = supervisor.run();
      host.last("w1").says({ leasehold: "fatal", code: "handler-invalid", message: "no default export" });
      host.last("w1").exits({ code: 78 });
      expect(host.last("w2").signals).to.deep.equal(["SIGTERM"]);
      host.last("w2").exits({ code: 0 });
      const result = await time.runUntilSettled(run);
      expect(result.fatal).to.deep.equal({
        label: "w1",
        code: "handler-invalid",
        message: "no default export",
      });
      expect(host.children).to.have.length(2);
    });

    it("is reported once when all of them fail alike", async () => {
      const supervisor = supervise(["w1", "w2"]);
      const run = supervisor.run();
      for (const label of ["w1", "w2"]) {
        host.last(label).says({ leasehold: "fatal", code: "source-missing", message: label });
        host.last(label).exits({ code: 78 });
      }
      const result = await time.runUntilSettled(run);
      expect(result.fatal?.message).to.equal("w1");
      expect(ofType("stopping")).to.have.length(1);
    });

    it("is known by its exit status alone, should its message be lost", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().exits({ code: 78 });
      const result = await time.runUntilSettled(run);
      expect(result.fatal).to.include({ label: "w1", code: "child-failed" });
    });

    it("is started again, and stops nobody, once a worker has started with the same settings", async () => {
      const supervisor = supervise(["w1", "w2"]);
      const run = supervisor.run();
      host.last("w2").announces("b");
      host.last("w1").says({ leasehold: "fatal", code: "store-denied", message: "not allowed" });
      host.last("w1").exits({ code: 78 });
      expect(host.last("w2").signals).to.have.length(0);
      await time.advance(1_000);
      expect(host.children.map(({ label }) => label)).to.deep.equal(["w1", "w2", "w1"]);
      expect((await end(supervisor, run)).fatal).to.be.undefined;
    });

    it("is a deleted table also later: a restart would make it anew without its checkpoints", async () => {
      const supervisor = supervise(["w1", "w2"]);
      const run = supervisor.run();
      host.last("w1").announces("a");
      host.last("w2").announces("b");
      host.last("w1").says({ leasehold: "fatal", code: "table-missing", message: "orders is gone" });
      host.last("w1").exits({ code: 78 });
      expect(host.last("w2").signals).to.have.length(1);
      host.last("w2").exits({ code: 78 });
      expect((await time.runUntilSettled(run)).fatal).to.include({ code: "table-missing" });
      expect(host.children).to.have.length(2);
    });

    it("is not what a child is that said so and died of something else", async () => {
      const supervisor = supervise();
      const run = supervisor.run();
      host.last().says({ leasehold: "fatal", code: "x", message: "y" });
      host.last().exits({ signal: "SIGSEGV" });
      await time.advance(1_000);
      expect(host.children).to.have.length(2);
      await end(supervisor, run);
    });
  });
});
