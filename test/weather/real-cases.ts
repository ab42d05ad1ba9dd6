import { expect } from "chai";
import type { ProxyFault } from "../../src/testing/proxy-faults.js";
import { Sky, type Spell, type Weather } from "./sky.js";

const leaseMs = 2_000;
const workers = 3;

interface Kind extends Weather {
  readonly says: RegExp;
  /** Whether every record is worked once: beats get through. Otherwise beliefs may lapse. */
  readonly redoesNothing: boolean;
}

const down = /^the store does not answer .*, and it is tried again: /;

function outage(of: "reads" | "writes" | undefined, leases: number): Kind {
  const fault: ProxyFault = of === undefined ? { kind: "outage" } : { kind: "outage", of };
  return { dynamodb: [fault], forMs: leases * leaseMs, says: down, redoesNothing: of === "reads" };
}

const kinds: Readonly<Record<string, Kind>> = {
  "half of all calls to the store throttled": {
    dynamodb: [{ kind: "throttle", share: 0.5 }],
    forMs: 15_000,
    says: /^the store throttles dynamodb:\w+ on table\/weather(-fleet)?, and it is tried again: .*ProvisionedThroughputExceededException/,
    redoesNothing: false,
  },
  "calls to the store that take nearly as long as they may": {
    dynamodb: [{ kind: "delay", ms: [100, 320] }],
    forMs: 10_000,
    says: down,
    redoesNothing: false,
  },
  "a third of all calls failing in the store": {
    dynamodb: [{ kind: "error", status: 500, share: 0.3 }],
    forMs: 10_000,
    says: /^the store does not answer .*InternalServerError/,
    redoesNothing: false,
  },
  "a third of all calls answered by a load balancer's page": {
    dynamodb: [{ kind: "error", status: 503, share: 0.3 }],
    forMs: 10_000,
    says: /^the store does not answer .*HTTP status 503/,
    redoesNothing: false,
  },
  "a third of all answers lost after the store applied the call": {
    dynamodb: [{ kind: "lost-answer", share: 0.3 }],
    forMs: 15_000,
    says: down,
    redoesNothing: false,
  },
  "every open connection to the store gone deaf": {
    dynamodb: [{ kind: "half-open" }],
    forMs: 8_000,
    says: /^the store does not answer .*no answer within 400 ms/,
    redoesNothing: true,
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
    redoesNothing: false,
  },
  "reads of the stream denied": {
    kinesis: [{ kind: "denied", actions: ["GetRecords"] }],
    forMs: 10_000,
    says: /^the source cannot be read, .*not authorized to perform: kinesis:GetRecords on resource: \S*stream\/weather/,
    redoesNothing: true,
  },
  "half of the reads of the stream throttled": {
    kinesis: [{ kind: "throttle", share: 0.5, actions: ["GetRecords"] }],
    forMs: 10_000,
    says: /^the source cannot be read, .*the stream weather throttles/,
    redoesNothing: true,
  },
  "an outage of the stream": {
    kinesis: [{ kind: "outage" }],
    forMs: 8_000,
    says: /^the source cannot be read, .*the stream weather could not be read/,
    redoesNothing: true,
  },
};

describe("a fleet of processes in bad weather", function () {
  this.timeout(120_000);
  let sky: Sky | undefined;

  before(async function () {
    // A build, two emulators and three processes, on a machine that may be busy.
    this.timeout(300_000);
    sky = await Sky.of({ application: "weather", workers, shards: 6, leaseDurationMs: leaseMs });
    // The first records are a change of load, and what that moves is not the weather's doing.
    await sky.passing({ forMs: 30_000 });
  });

  after(async () => {
    await sky?.close();
  });

  function fleetUnder(open: Sky | undefined): Sky {
    if (open === undefined) throw new Error("the fleet has not started");
    return open;
  }

  function movesIn({ events }: Spell): readonly unknown[] {
    return events.filter(
      (event) => event.type === "tenure-began" && event.how !== "resumed" && event.how !== "raised",
    );
  }

  for (const [what, kind] of Object.entries(kinds)) {
    it(`keeps every owner and loses no record through ${what}`, async () => {
      const spell = await fleetUnder(sky).passing(kind);
      expect(movesIn(spell)).to.deep.equal([]);
      expect(spell.events.filter(({ type }) => type === "fenced" || type === "worker-created")).to.deep.equal(
        [],
      );
      // Whatever is not told is no trouble: an outage may be too short for a worker to meet.
      for (const sentence of spell.firstSentences) expect(sentence).to.match(kind.says);
      expect(spell.mostRepeated.times, spell.mostRepeated.message).to.be.at.most(4);
      if (kind.redoesNothing) expect(spell.done.length).to.equal(new Set(spell.done).size);
    });
  }
});
