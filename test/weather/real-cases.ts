import { expect } from "chai";
import { resolveProtocol } from "../../src/model/config.js";
import { isUnscoped, type ProxyFault } from "../../src/testing/proxy-faults.js";
import type { Seen } from "../../src/testing/index.js";
import { Sky, type Spell, type Weather } from "./sky.js";

/** Longer than the shortest there may be, whose calls have 400 ms: those would tell more of a machine than of the fleet. */
const leaseMs = 5_000;
const { attemptTimeoutMs, heartbeatIntervalMs, expiryMs } = resolveProtocol({ leaseDurationMs: leaseMs });
const workers = 3;
/**
 * On a machine no later than this, ms, a call is answered in its time: it needs the worker twice, the proxy twice and the
 * emulator once. On any other, calls fail by themselves, and what is claimed of time is not claimed.
 */
const punctualMs = attemptTimeoutMs / 5;
/** Where somebody may have been silent for longer than this, ms, its death is no error: a beat is late by that alone. */
const aliveMs = expiryMs - heartbeatIntervalMs - attemptTimeoutMs;
/** Half of all calls are refused, so that now and then all of a belief's are: so many beats it has room for at the least. */
const triesInVain = 8;
/** A trouble that was over for so long, ms, is told of again. */
const quietMs = 10_000;

interface Kind extends Weather {
  /** What the log's first sentence says of it. */
  readonly says: RegExp;
  /** What else, where a late machine may be the first to give cause for the very same sentence. */
  readonly cause?: RegExp;
  /**
   * How it is known that the weather was there: every worker tells of it; or some worker does, where it may be too short
   * for one to meet; or, where nothing fails of it, beats take at least so long, ms.
   */
  readonly felt: "by-all" | "by-some" | { readonly beatsTakeMs: number };
  /** Whether beats get through: then no belief lapses, and every record is worked once. */
  readonly keepsBelief: boolean;
}

const down = /^the store does not answer .*, and it is tried again: /;

function outage(of: "reads" | "writes" | undefined, leases: number): Kind {
  const fault: ProxyFault = of === undefined ? { kind: "outage" } : { kind: "outage", of };
  return {
    dynamodb: [fault],
    forMs: leases * leaseMs,
    says: down,
    felt: leases < 1 ? "by-some" : "by-all",
    keepsBelief: of === "reads",
  };
}

export const kinds: Readonly<Record<string, Kind>> = {
  "half of all calls to the store throttled": {
    dynamodb: [{ kind: "throttle", share: 0.5 }],
    forMs: 15_000,
    says: /^the store throttles dynamodb:\w+ on table\/weather(-fleet|\/index\/\w+)?, and it is tried again: .*ProvisionedThroughputExceededException/,
    felt: "by-all",
    keepsBelief: true,
  },
  "calls to the store that take half as long as they may": {
    dynamodb: [{ kind: "delay", ms: [0.25 * attemptTimeoutMs, 0.6 * attemptTimeoutMs] }],
    forMs: 10_000,
    says: down,
    felt: { beatsTakeMs: 0.25 * attemptTimeoutMs },
    keepsBelief: false,
  },
  "a third of all calls failing in the store": {
    dynamodb: [{ kind: "error", status: 500, share: 0.3 }],
    forMs: 10_000,
    says: down,
    cause: /InternalServerError/,
    felt: "by-all",
    keepsBelief: false,
  },
  "a third of all calls answered by a load balancer's page": {
    dynamodb: [{ kind: "error", status: 503, share: 0.3 }],
    forMs: 10_000,
    says: down,
    cause: /HTTP status 503/,
    felt: "by-all",
    keepsBelief: false,
  },
  "a third of all answers lost after the store applied the call": {
    dynamodb: [{ kind: "lost-answer", share: 0.3 }],
    forMs: 15_000,
    says: down,
    felt: "by-all",
    keepsBelief: false,
  },
  "every open connection to the store gone deaf": {
    dynamodb: [{ kind: "half-open" }],
    forMs: 8_000,
    says: down,
    cause: new RegExp(`no answer within ${String(attemptTimeoutMs)} ms`),
    felt: "by-all",
    keepsBelief: true,
  },
  "an outage of the store's reads of 5 leases": outage("reads", 5),
  "an outage of the store's writes of 3 leases": outage("writes", 3),
  "an outage of the whole store of half a lease": outage(undefined, 0.5),
  "an outage of the whole store of 5 leases": outage(undefined, 5),
  "beats denied to all": {
    dynamodb: [
      { kind: "denied", actions: ["UpdateItem"], where: ({ body }) => body["TableName"] === "weather-fleet" },
    ],
    forMs: 8_000,
    says: /^the store denies dynamodb:UpdateItem on table\/weather-fleet: .*not authorized.*; allow dynamodb:UpdateItem on table\/weather-fleet in the policy of the worker's role/,
    felt: "by-all",
    keepsBelief: false,
  },
  "reads of the stream denied": {
    kinesis: [{ kind: "denied", actions: ["GetRecords"] }],
    forMs: 10_000,
    says: /^the source cannot be read, .*not authorized to perform: kinesis:GetRecords on resource: \S*stream\/weather/,
    felt: "by-all",
    keepsBelief: true,
  },
  "half of the reads of the stream throttled": {
    kinesis: [{ kind: "throttle", share: 0.5, actions: ["GetRecords"] }],
    forMs: 10_000,
    says: /^the source cannot be read, .*the stream weather throttles/,
    felt: "by-all",
    keepsBelief: true,
  },
  "an outage of the stream": {
    kinesis: [{ kind: "outage" }],
    forMs: 8_000,
    // Now and then the planner is about to look which shards there are.
    says: /^(the source cannot be read, and|discovery failed,) .*the stream weather could not be read/,
    felt: "by-all",
    keepsBelief: true,
  },
};

/** Registers the cases of these kinds, all on one fleet. */
export function inBadWeather(names: readonly string[]): void {
  describe("a fleet of processes in bad weather", function () {
    // Every wait is bounded, and says what it waited for: this is for none of them to be cut short.
    this.timeout(300_000);
    let sky: Sky | undefined;

    before(async function () {
      // A build, two emulators and three processes, on a machine that may be busy.
      this.timeout(300_000);
      sky = await Sky.of({ application: "weather", workers, shards: 6, leaseDurationMs: leaseMs });
      await sky.settled();
    });

    after(async () => {
      await sky?.close();
    });

    function fleetUnder(open: Sky | undefined): Sky {
      if (open === undefined) throw new Error("the fleet has not started");
      return open;
    }

    for (const name of names) {
      const kind = kinds[name];
      if (kind === undefined) throw new Error(`there is no weather called ${name}`);
      it(`keeps every owner and loses no record through ${name}`, async () => {
        const spell = await fleetUnder(sky).passing(kind);
        if (spell.lateMs < aliveMs) expectNobodyDied(spell);
        expectFelt(spell, kind);
        expectLog(spell, kind);
        if (kind.keepsBelief && spell.lateMs < punctualMs) expectBeats(spell, kind.forMs);
      });
    }
  });
}

function expectNobodyDied({ events }: Spell): void {
  const moves = events.filter(
    (event) => event.type === "tenure-began" && event.how !== "resumed" && event.how !== "raised",
  );
  expect(moves).to.deep.equal([]);
  expect(events.filter(({ type }) => type === "fenced" || type === "worker-created")).to.deep.equal([]);
}

function expectFelt({ during, faulted, told }: Spell, { felt, dynamodb = [], kinesis = [] }: Kind): void {
  if (typeof felt === "object") {
    const ages = during.flatMap((event) => (event.type === "beat-acknowledged" ? [event.ageMs] : []));
    // One beat of each worker may have been answered before the weather came.
    const slow = ages.filter((ageMs) => ageMs >= felt.beatsTakeMs);
    expect(slow.length).to.be.at.least(workers);
    expect(ages.length - slow.length).to.be.at.most(workers);
    return;
  }
  expect(told.length).to.be.within(felt === "by-all" ? workers : 1, workers);
  // Connections that an outage resets as they are made bring no request that could be counted.
  const resets = [...dynamodb, ...kinesis].every((fault) => fault.kind === "outage" && isUnscoped(fault));
  if (!resets) expect(faulted).to.be.greaterThan(0);
}

/** Every worker's log begins with what is wrong; on a late machine, where that may not be all, it says it. */
function expectLog({ told, mostRepeated, lateMs, lastedMs }: Spell, { says, cause = /./, felt }: Kind): void {
  for (const sentences of told) {
    if (lateMs < punctualMs) expect(sentences[0]).to.match(says).and.match(cause);
    else if (felt === "by-all") expect(sentences.join("\n")).to.match(new RegExp(says, "m"));
  }
  expect(mostRepeated.times, mostRepeated.message).to.be.at.most(Math.max(4, 1 + lastedMs / quietMs));
}

/** Beats come first: whatever else has to wait, each worker beats at least once a lease, no belief lapses, nothing is redone. */
function expectBeats({ events, during, done }: Spell, forMs: number): void {
  const lapses = events.flatMap((event, i) =>
    event.type === "belief-lapsed" ? [beatsBefore(events, i)] : [],
  );
  for (const tries of lapses) expect(tries).to.be.at.least(triesInVain);
  if (lapses.length === 0) expect(done.length).to.equal(new Set(done).size);
  const beaten = new Map<string, number>();
  for (const { type, label } of during) {
    if (type === "beat-acknowledged") beaten.set(label, (beaten.get(label) ?? 0) + 1);
  }
  expect(beaten.size).to.equal(workers);
  for (const beats of beaten.values()) expect(beats).to.be.at.least(Math.floor(forMs / leaseMs));
}

/** How many beats the worker of this event had sent since the last one that was acknowledged. */
function beatsBefore(events: readonly Seen[], at: number): number {
  const own = events.slice(0, at).filter(({ label }) => label === events[at]?.label);
  const since = own.slice(own.findLastIndex(({ type }) => type === "beat-acknowledged") + 1);
  return since.filter(({ type }) => type === "beat-sent").length;
}
