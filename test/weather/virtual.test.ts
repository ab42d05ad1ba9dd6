import { expect } from "chai";
import type { LeaseholdEvent } from "../../src/model/events.js";
import { logTo, type Logger } from "../../src/telemetry/log.js";
import type { Fault } from "../../src/testing/faults.js";
import type { Scenario } from "../../src/testing/scenario.js";
import { drawScenario } from "../../src/testing/scenario-draw.js";
import { simulate, type SimulationResult } from "../../src/testing/simulator.js";

/** Settled long before. */
const fromMs = 40_000;
const forMs = 60_000;
const overMs = fromMs + forMs;
const leaseMs = 10_000;
const machines = 4;
const putEveryMs = 10;

/** Four machines on 16 shards that start together, with default options. */
function scene(faults: readonly Fault[], changes: Partial<Scenario> = {}): Scenario {
  return {
    ...drawScenario("weather", { machines: [machines, machines], shards: [16, 16], faults: [0, 0] }),
    protocol: {},
    conditions: { latencyMs: [1, 8] },
    workMs: [1, 50],
    // Many records: their number in a while, which is the leases' weight, is then nearly even, and nothing to balance.
    putEveryMs,
    faults,
    runMs: 150_000,
    produceUntilMs: 140_000,
    ...changes,
  };
}

interface Line {
  readonly atMs: number;
  readonly level: keyof Logger;
  readonly message: string;
  readonly workerId: unknown;
}

/** Everything that a fleet did in some weather. */
class Day {
  readonly seen: { readonly atMs: number; readonly event: LeaseholdEvent }[] = [];
  readonly sent: { readonly atMs: number; readonly operation: string }[] = [];
  readonly lines: Line[] = [];
  result: SimulationResult | undefined;

  static async of(faults: readonly Fault[], changes: Partial<Scenario> = {}): Promise<Day> {
    const day = new Day();
    let nowMs = 0;
    const clock = { now: () => ({ monoMs: nowMs, bootMs: nowMs, wallMs: nowMs }) };
    const at =
      (level: keyof Logger) =>
      (fields: Readonly<Record<string, unknown>>, message: string): void => {
        day.lines.push({ atMs: nowMs, level, message, workerId: fields["workerId"] });
      };
    const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
    // A log of its own for each worker, as each process has one.
    const logs = new Map<string, ReturnType<typeof logTo>>();
    const logOf = (workerId: string): ReturnType<typeof logTo> => {
      const slot = workerId.split("-").slice(0, 2).join("-");
      const log = logs.get(slot) ?? logTo(logger, "simulated", clock);
      logs.set(slot, log);
      return log;
    };
    day.result = await simulate(scene(faults, changes), {
      onEvent: (event, atMs) => {
        nowMs = atMs;
        day.seen.push({ event, atMs });
        logOf(event.workerId)(event);
      },
      onSent: ({ operation }, atMs) => {
        day.sent.push({ atMs, operation });
      },
    });
    return day;
  }

  count(type: LeaseholdEvent["type"], from = fromMs, to = Infinity): number {
    return this.seen.filter(({ event, atMs }) => event.type === type && atMs >= from && atMs < to).length;
  }

  /** Leases that came to another owner. */
  moves(from = fromMs, to = Infinity): readonly LeaseholdEvent[] {
    return this.seen
      .filter(({ atMs }) => atMs >= from && atMs < to)
      .map(({ event }) => event)
      .filter((event) => event.type === "tenure-began" && event.how !== "resumed" && event.how !== "raised");
  }

  sentPerMinute(operation: RegExp, from: number, to: number): number {
    const calls = this.sent.filter(
      (one) => operation.test(one.operation) && one.atMs >= from && one.atMs < to,
    );
    return (calls.length * 60_000) / (to - from);
  }

  /** What the people who are called at night see, since the weather began. */
  warnings(from = fromMs): readonly Line[] {
    return this.lines.filter(({ level, atMs }) => atMs >= from && (level === "warn" || level === "error"));
  }

  /** The first such sentence of each worker's log. */
  firstSentences(): readonly string[] {
    const first = new Map<unknown, string>();
    for (const { workerId, message } of this.warnings()) {
      if (!first.has(workerId)) first.set(workerId, message);
    }
    return [...first.values()];
  }

  /** How often the most frequent sentence of one worker's log at `warn` or above stands there. */
  get mostRepeated(): { readonly times: number; readonly message: string } {
    const counts = new Map<string, number>();
    for (const { workerId, message } of this.warnings()) {
      const key = `${String(workerId)} ${message.replaceAll(/\d+/g, "N")}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const [message, times] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? ["", 0];
    return { message, times };
  }

  /** What must hold in any weather in which nobody dies. */
  expectNothingMoved(from = fromMs): void {
    expect(this.moves(from)).to.deep.equal([]);
    expect(this.count("fenced")).to.equal(0);
    expect(this.count("worker-created")).to.equal(0);
  }

  /** Every worker's log begins with a sentence that says what is wrong, and none repeats itself without end. */
  expectLog(sentence: RegExp, over: RegExp): void {
    const first = this.firstSentences();
    expect(first).to.have.length(machines);
    for (const message of first) expect(message).to.match(sentence);
    expect(this.mostRepeated.times, this.mostRepeated.message).to.be.at.most(4);
    const closing = this.lines.filter(({ message, atMs }) => atMs > fromMs && over.test(message));
    expect(closing.length).to.be.at.least(machines);
  }
}

/** Records that come within a checkpoint's interval and a belief, over all leases. */
const redoneAtMost = ((10_000 + leaseMs) * 1.1) / putEveryMs;

const whole = { atMs: fromMs, forMs };

const lostAnswers: Fault = {
  kind: "store-lossy",
  ...whole,
  lostRequests: 0,
  lostAnswers: 0.3,
  duplicates: 0,
  delayed: 0,
};

const callsOf = (operation: string): RegExp => new RegExp(`^${operation}$`);
const denialOf = (operation: string): RegExp =>
  new RegExp(`^the store denies simulated:${operation}: .*; allow simulated:`);

describe("in bad weather a fleet", function () {
  this.timeout(60_000);

  let calm: Day;
  before(async () => {
    calm = await Day.of([]);
  });

  it("says nothing at all in good weather", () => {
    expect(calm.warnings(0)).to.deep.equal([]);
    calm.expectNothingMoved();
  });

  it("beats on time while half of all calls are throttled, and loses no belief", async () => {
    const day = await Day.of([{ kind: "store-throttled", ...whole, share: 0.5 }]);
    day.expectNothingMoved();
    expect(day.count("belief-lapsed")).to.equal(0);
    expect(day.count("beat-acknowledged", fromMs, overMs)).to.be.at.least(
      calm.count("beat-acknowledged", fromMs, overMs) * 0.85,
    );
    expect(day.result?.redone).to.equal(0);
    day.expectLog(
      /^the store throttles .*, and it is tried again: the store throttles/,
      /^the store throttles no more after \d+ s, \d+ times in all$/,
    );
  });

  for (const share of [0.5, 1]) {
    it(`sends no storm while ${share * 100} % of its calls are throttled`, async () => {
      const day = await Day.of([{ kind: "store-throttled", ...whole, share }]);
      const all = /./;
      const factor = day.sentPerMinute(all, fromMs, overMs) / calm.sentPerMinute(all, fromMs, overMs);
      expect(factor).to.be.within(1, 4);
      day.expectNothingMoved();
    });
  }

  for (const of of ["reads", "writes", "all"] as const) {
    for (const leases of [0.5, 1, 2, 5]) {
      it(`keeps every owner through an outage of ${of} of ${leases} leases`, async () => {
        const day = await Day.of([
          { kind: "store-outage", atMs: fromMs, forMs: leases * leaseMs, of, how: "refusing" },
        ]);
        day.expectNothingMoved();
        if (of === "reads" || leases < 0.9) expect(day.result?.redone).to.equal(0);
        // A belief lapses once, and once more where the late beat that renewed it had left it little. What was worked since
        // the last checkpoint, and until the belief ended, is redone.
        expect(day.count("belief-lapsed")).to.be.at.most(2 * machines);
        expect(day.result?.redone).to.be.at.most(redoneAtMost);
        day.expectLog(
          /^the store does not answer .*, and it is tried again: the store is down/,
          /^the store answers again after \d+ s, /,
        );
      });
    }
  }

  it("keeps every owner through calls that hang until they are given up", async () => {
    const silent: Fault = {
      kind: "store-outage",
      atMs: fromMs,
      forMs: 2.5 * leaseMs,
      of: "all",
      how: "silent",
    };
    const day = await Day.of([silent]);
    day.expectNothingMoved();
    expect(day.result?.redone).to.be.at.most(redoneAtMost);
    day.expectLog(
      /^the store does not answer .*, and it is tried again: no answer within 2000 ms/,
      /^the store answers again after \d+ s, /,
    );
  });

  it("works on while answers take nearly as long as an attempt may", async () => {
    // 1.5 to 1.95 s for there and back, of 2 s.
    const slow: Fault = { kind: "store-slow", ...whole, factor: 1 };
    const day = await Day.of([slow], { conditions: { latencyMs: [750, 975] } });
    expect(day.count("fenced", 0)).to.equal(0);
    expect(day.count("belief-lapsed", 0)).to.equal(0);
    // A round, a directive and a handoff take seconds each: so does the share-out at the start.
    day.expectNothingMoved(70_000);
    expect(day.result?.redone).to.equal(0);
  });

  it("takes no lost answer for a failure", async () => {
    const day = await Day.of([lostAnswers]);
    day.expectNothingMoved();
    // Three attempts fit into what is left of a belief, and all three answers of one beat in forty are lost.
    const lapses = day.count("belief-lapsed");
    expect(lapses).to.be.at.most(2 * machines);
    expect(day.result?.redone).to.be.at.most((redoneAtMost / machines) * lapses);
    // A checkpoint that stays in doubt costs a raise at most, never a refusal by what was its own write.
    const refusals = day.seen.map(({ event }) => event).filter(({ type }) => type === "checkpoint-refused");
    for (const event of refusals) expect(event).to.have.property("reason", "unknown");
    day.expectLog(
      /^the store does not answer .*, and it is tried again: no answer within 2000 ms/,
      /^the store answers again after \d+ s, /,
    );
  });

  it("works on while a third of its calls fail in the store itself, applied or not", async () => {
    const day = await Day.of([{ kind: "store-failing", ...whole, share: 0.3 }]);
    day.expectNothingMoved();
    expect(day.count("belief-lapsed")).to.equal(0);
    expect(day.result?.redone).to.equal(0);
    day.expectLog(
      /^the store does not answer .*, and it is tried again: the store failed/,
      /^the store answers again after \d+ s, /,
    );
  });

  it("reads on while half of its reads are throttled", async () => {
    const day = await Day.of([{ kind: "stream-throttled", ...whole, share: 0.5 }]);
    day.expectNothingMoved();
    day.expectLog(
      /^the source cannot be read, and it is tried again: the stream throttles/,
      /^the source can be read again after \d+ s, /,
    );
  });

  it("moves nothing round while nobody may read the shards, and says so", async () => {
    const day = await Day.of([{ kind: "stream-denied", ...whole }]);
    expect(day.moves(fromMs, overMs)).to.deep.equal([]);
    expect(day.count("released", fromMs, overMs)).to.equal(0);
    expect(day.count("belief-lapsed")).to.equal(0);
    day.expectLog(
      /^the source cannot be read, and it is tried again: not authorized .*; allow simulated:read/,
      /^the source can be read again after \d+ s, /,
    );
  });

  it("moves nothing while nobody may write a beat: silence of all is nobody's death", async () => {
    const day = await Day.of([{ kind: "store-denied", ...whole, operations: ["membership.beat"] }]);
    day.expectNothingMoved();
    expect(day.result?.redone).to.be.at.most(redoneAtMost);
    day.expectLog(
      /^the store denies simulated:membership.beat: not authorized .*; allow simulated:membership.beat/,
      /^the store allows simulated:membership.beat again after \d+ s, /,
    );
  });

  it("takes over from one that may not beat, which joins again when it may", async () => {
    const day = await Day.of([
      { kind: "store-denied", ...whole, operations: ["membership.beat"], worker: 1 },
    ]);
    for (const event of day.moves(fromMs, overMs)) {
      if (event.type !== "tenure-began" || event.how === "handoff") continue;
      expect(event.from).to.match(/^worker-1\.1-/);
    }
    // It comes back as a new worker, whose beats are denied too, ever more rarely: each life is one more row to read.
    expect(day.count("worker-created", fromMs, overMs)).to.be.within(1, 3);
    expect(day.count("fenced")).to.be.within(1, 4);
    expect(day.count("beat-acknowledged", overMs)).to.be.greaterThan(0);
    expect(day.firstSentences()[0]).to.match(/^the store denies simulated:membership.beat: /);
  });

  for (const operation of ["checkpoints.write", "leases.scan"]) {
    it(`keeps every lease while ${operation} is denied, and says what to allow`, async () => {
      const day = await Day.of([{ kind: "store-denied", ...whole, operations: [operation] }]);
      expect(day.moves(fromMs, overMs)).to.deep.equal([]);
      expect(day.count("belief-lapsed")).to.equal(0);
      expect(day.sentPerMinute(callsOf(operation), fromMs, overMs)).to.be.greaterThan(0);
      const [first] = day.firstSentences();
      expect(first).to.match(denialOf(operation));
      expect(day.mostRepeated.times, day.mostRepeated.message).to.be.at.most(4);
    });
  }

  // These are called for when somebody dies: the planner, whose office and leases pass on.
  for (const operation of ["plannerDesk.claim", "history.archive"]) {
    it(`moves a dead planner's leases only while ${operation} is denied, and says what to allow`, async () => {
      const planner = calm.seen.findLast(
        ({ event, atMs }) => event.type === "planner-elected" && atMs < fromMs,
      );
      const [name = "", index] = /^worker-(\d+)/.exec(planner?.event.workerId ?? "") ?? [];
      const crash: Fault = { kind: "crash", worker: Number(index), atMs: fromMs + 5_000 };
      const day = await Day.of([{ kind: "store-denied", ...whole, operations: [operation] }, crash]);
      expect(day.sentPerMinute(callsOf(operation), fromMs, overMs)).to.be.greaterThan(0);
      expect(day.count("fenced")).to.equal(1);
      expect(day.count("belief-lapsed")).to.equal(0);
      for (const event of day.moves(fromMs, overMs)) {
        if (event.type === "tenure-began") expect(event.from).to.match(new RegExp(`^${name}\\.`));
      }
      const troubles = day.firstSentences().filter((message) => !message.startsWith("worker fenced"));
      expect(troubles).not.to.be.empty;
      for (const message of troubles) expect(message).to.match(denialOf(operation));
      expect(day.mostRepeated.times, day.mostRepeated.message).to.be.at.most(4);
    });
  }

  it("starts while half of all calls are throttled", async () => {
    const day = await Day.of([{ kind: "store-throttled", atMs: 0, forMs: 60_000, share: 0.5 }]);
    expect(day.moves(0, 20_000).length).to.be.at.least(16);
    expect(day.count("belief-lapsed", 0)).to.equal(0);
    expect(day.count("fenced", 0)).to.equal(0);
  });

  it("starts when an outage is over that it began in", async () => {
    const day = await Day.of([{ kind: "store-outage", atMs: 0, forMs: 30_000, of: "all", how: "refusing" }]);
    expect(day.moves(0, 30_000)).to.deep.equal([]);
    expect(day.moves(30_000, 38_000).length).to.be.at.least(16);
    expect(day.warnings(0)[0]?.message).to.match(/^the store does not answer /);
    expect(day.mostRepeated.times, day.mostRepeated.message).to.be.at.most(4);
  });

  it("makes good a death that befell it in bad weather", async () => {
    const day = await Day.of([
      { kind: "store-throttled", ...whole, share: 0.5 },
      { kind: "crash", worker: 2, atMs: fromMs + 10_000 },
    ]);
    expect(day.count("fenced")).to.equal(1);
    const taken = day.seen.filter(
      ({ event }) => event.type === "tenure-began" && event.how === "taken-from-fenced",
    );
    expect(taken.length).to.be.at.least(3);
    expect(Math.max(...taken.map(({ atMs }) => atMs)) - fromMs - 10_000).to.be.at.most(18_000);
    expect(day.count("belief-lapsed")).to.equal(0);
  });

  it("knows its takes for its own while a third of all answers is lost, and begins each lease once", async () => {
    const day = await Day.of([lostAnswers, { kind: "crash", worker: 2, atMs: fromMs + 10_000 }]);
    expect(day.count("fenced")).to.equal(1);
    // Moves for balance come on top.
    const taken = day
      .moves(fromMs, overMs)
      .flatMap((event) =>
        event.type === "tenure-began" && event.how === "taken-from-fenced" ? [event.leaseKey] : [],
      );
    expect(taken.length).to.be.at.least(3);
    expect(taken.length).to.equal(new Set(taken).size);
    // Nobody else takes them: a take that is called refused was the worker's own, whose answer was lost.
    const refused = day.seen.filter(
      ({ event }) => event.type === "change-failed" && event.outcome === "refused",
    );
    expect(refused).to.deep.equal([]);
    expect(day.count("reconciled")).to.equal(0);
  });
});
