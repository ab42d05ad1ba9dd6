import { expect } from "chai";
import fc from "fast-check";
import {
  checkApplication,
  clockRateBound,
  resolveProtocol,
  type ProtocolConfig,
  type ProtocolOptions,
} from "../../src/model/config.js";
import { LeaseholdError } from "../../src/model/errors.js";

function refusal(options: object): string {
  try {
    resolveProtocol(options);
  } catch (error) {
    expect(error).to.be.instanceOf(LeaseholdError).with.property("code", "invalid-option");
    return (error as LeaseholdError).message;
  }
  throw new Error(`accepted: ${JSON.stringify(options)}`);
}

/** Every inequality of the protocol's table, by name. */
const chain: Readonly<Record<string, (c: ProtocolConfig) => boolean>> = {
  "D >= 2,000": (c) => c.leaseDurationMs >= 2_000,
  "2h + 2a <= D - margin": (c) =>
    2 * c.heartbeatIntervalMs + 2 * c.attemptTimeoutMs <= c.leaseDurationMs - c.safetyMarginMs,
  "a <= h": (c) => c.attemptTimeoutMs <= c.heartbeatIntervalMs,
  "D/20 <= margin <= D/4": (c) =>
    c.safetyMarginMs >= c.leaseDurationMs / 20 && c.safetyMarginMs <= c.leaseDurationMs / 4,
  "T >= D (1+rho)/(1-rho)": (c) =>
    c.expiryMs >= (c.leaseDurationMs * (1 + clockRateBound)) / (1 - clockRateBound),
  "T >= 1.25 D": (c) => c.expiryMs >= 1.25 * c.leaseDurationMs,
  "p <= D/8": (c) => c.pollIntervalMs <= c.leaseDurationMs / 8,
  "blind gap <= D/2": (c) => c.blindGapMs <= c.leaseDurationMs / 2,
  "fresh plan = max(3h, h + a + 2p)": (c) =>
    c.freshPlanMs ===
    Math.max(3 * c.heartbeatIntervalMs, c.heartbeatIntervalMs + c.attemptTimeoutMs + 2 * c.pollIntervalMs),
  "settle = max(2p, h + p)": (c) =>
    c.settleMs === Math.max(2 * c.pollIntervalMs, c.heartbeatIntervalMs + c.pollIntervalMs),
  "settle ends by max(10p, 2 settle)": (c) =>
    c.settleLimitMs === Math.max(10 * c.pollIntervalMs, 2 * c.settleMs),
  "planner's scan = min(10,000, T/2)": (c) =>
    c.plannerScanIntervalMs === Math.min(10_000, Math.floor(c.expiryMs / 2)),
  "scan = T": (c) => c.scanIntervalMs === c.expiryMs,
  "cool-down = max(6p, 2h)": (c) =>
    c.coolDownMs === Math.max(6 * c.pollIntervalMs, 2 * c.heartbeatIntervalMs),
  "maxLeases <= hardMaxLeases": (c) => (c.maxLeases ?? 0) <= (c.hardMaxLeases ?? Infinity),
  "kclWatch = max(T, 45,000, 1.25 kclFailover / 3)": (c) =>
    c.kclWatchMs === Math.max(c.expiryMs, 45_000, Math.ceil((1.25 * c.kclFailoverMs) / 3)),
  "whole numbers": (c) =>
    Object.values(c).every((value) => value === undefined || Number.isSafeInteger(value)),
};

function holdsTogether(config: ProtocolConfig): void {
  for (const [name, holds] of Object.entries(chain)) {
    expect(holds(config), `${name} of ${JSON.stringify(config)}`).to.equal(true);
  }
}

const around = (from: number, to: number): fc.Arbitrary<number | undefined> =>
  fc.option(fc.integer({ min: from, max: to }), { nil: undefined });
const someOptions = fc
  .record({
    leaseDurationMs: around(1_500, 30_000),
    heartbeatIntervalMs: around(1, 8_000),
    attemptTimeoutMs: around(1, 6_000),
    safetyMarginMs: around(100, 4_000),
    pollIntervalMs: around(1, 3_000),
    maxLeases: around(1, 20),
    hardMaxLeases: around(1, 20),
    kclFailoverMs: around(1_000, 400_000),
  })
  .map(
    (drawn) =>
      Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined)) as ProtocolOptions,
  );

describe("the protocol's parameters", () => {
  it("have the defaults of the protocol's table", () => {
    expect(resolveProtocol()).to.deep.equal({
      leaseDurationMs: 10_000,
      heartbeatIntervalMs: 2_500,
      attemptTimeoutMs: 2_000,
      safetyMarginMs: 1_000,
      expiryMs: 12_500,
      pollIntervalMs: 1_000,
      blindGapMs: 5_000,
      freshPlanMs: 7_500,
      settleMs: 3_500,
      settleLimitMs: 10_000,
      plannerScanIntervalMs: 6_250,
      scanIntervalMs: 12_500,
      reconcileIntervalMs: 30_000,
      coolDownMs: 6_000,
      drainMs: 30_000,
      shutdownGraceMs: 30_000,
      processingTimeoutMs: 300_000,
      abortGraceMs: 10_000,
      sourceSilenceMs: 300_000,
      maxConcurrentBatches: 64,
      checkpointIntervalMs: 10_000,
      discoveryIntervalMs: 30_000,
      maxLeases: undefined,
      hardMaxLeases: undefined,
      deployHoldMs: 600_000,
      maxMovesInFlight: 32,
      kclFailoverMs: 10_000,
      kclWatchMs: 45_000,
    });
  });

  it("hold together whenever they are accepted", () => {
    let accepted = 0;
    fc.assert(
      fc.property(someOptions, (options) => {
        let config: ProtocolConfig;
        try {
          config = resolveProtocol(options);
        } catch (error) {
          expect(error).to.be.instanceOf(LeaseholdError);
          return;
        }
        accepted += 1;
        holdsTogether(config);
        expect(config).to.include(options);
      }),
      { numRuns: 1_000, seed: 1 },
    );
    expect(accepted).to.be.above(50);
  });

  it("hold together for every lease duration alone: nothing derived contradicts another", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2_000, max: 3_600_000 }), (leaseDurationMs) => {
        holdsTogether(resolveProtocol({ leaseDurationMs }));
      }),
    );
  });

  it("round down what is derived of D and round T up", () => {
    expect(resolveProtocol({ leaseDurationMs: 2_019 })).to.include({
      heartbeatIntervalMs: 504,
      attemptTimeoutMs: 403,
      safetyMarginMs: 201,
      pollIntervalMs: 252,
      blindGapMs: 1_009,
      expiryMs: 2_524,
      plannerScanIntervalMs: 1_262,
    });
  });

  it("never poll more seldom than every second by default", () => {
    expect(resolveProtocol({ leaseDurationMs: 60_000 })).to.include({
      pollIntervalMs: 1_000,
      plannerScanIntervalMs: 10_000,
    });
  });

  it("keep a default try within a short heartbeat", () => {
    expect(resolveProtocol({ heartbeatIntervalMs: 300 }).attemptTimeoutMs).to.equal(300);
  });

  const bounds: readonly (readonly [keyof ProtocolOptions, number, number])[] = [
    ["leaseDurationMs", 2_000, 3_600_000],
    ["drainMs", 0, 86_400_000],
    ["shutdownGraceMs", 0, 86_400_000],
    ["processingTimeoutMs", 100, 86_400_000],
    ["abortGraceMs", 0, 86_400_000],
    ["sourceSilenceMs", 1_000, 86_400_000],
    ["checkpointIntervalMs", 0, 86_400_000],
    ["discoveryIntervalMs", 1_000, 86_400_000],
    ["kclFailoverMs", 1_000, 86_400_000],
  ];
  for (const [name, least, most] of bounds) {
    it(`take ${name} from ${String(least)} to ${String(most)}, and nothing beyond`, () => {
      expect(resolveProtocol({ [name]: least })[name]).to.equal(least);
      expect(resolveProtocol({ [name]: most })[name]).to.equal(most);
      for (const beyond of [least - 1, most + 1]) {
        expect(refusal({ [name]: beyond })).to.equal(
          `${name} is ${String(beyond)}: it must be an integer from ${String(least)} to ${String(most)} ms; leave it out for its default`,
        );
      }
    });
  }

  it("take maxMovesInFlight from 1 to 100, what one write can carry", () => {
    expect(resolveProtocol({ maxMovesInFlight: 100 }).maxMovesInFlight).to.equal(100);
    for (const maxMovesInFlight of [0, 101]) {
      expect(refusal({ maxMovesInFlight })).to.match(/it must be an integer from 1 to 100;/);
    }
  });

  for (const name of ["maxConcurrentBatches", "maxLeases", "hardMaxLeases"] as const) {
    it(`take ${name} from 1 up`, () => {
      expect(resolveProtocol({ [name]: 1 })[name]).to.equal(1);
      expect(refusal({ [name]: 0 })).to.match(
        new RegExp(`^${name} is 0: it must be an integer of at least 1;`),
      );
    });
  }

  for (const name of [
    "heartbeatIntervalMs",
    "attemptTimeoutMs",
    "safetyMarginMs",
    "pollIntervalMs",
  ] as const) {
    it(`take no ${name} of 0`, () => {
      expect(refusal({ [name]: 0 })).to.match(new RegExp(`^${name} is 0: it must be an integer from 1 `));
    });
  }

  for (const [bad, shown] of [
    ["5000", '"5000"'],
    [null, "null"],
    [2_500.5, "2500.5"],
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    [true, "true"],
    [{}, "a value of type object"],
  ] as const) {
    it(`name ${shown} as no duration`, () => {
      expect(refusal({ leaseDurationMs: bad })).to.include(
        `leaseDurationMs is ${shown}: it must be an integer`,
      );
    });
  }

  it("name an option that does not exist, and those that do", () => {
    const message = refusal({ leaseDuration: 5_000 });
    expect(message).to.match(/^leaseDuration is no protocol option; known are leaseDurationMs, /);
    expect(message).to.include("maxMovesInFlight");
  });

  const contradictions: readonly (readonly [string, ProtocolOptions, RegExp])[] = [
    [
      "a try longer than a heartbeat",
      { heartbeatIntervalMs: 1_000, attemptTimeoutMs: 1_001 },
      /^attemptTimeoutMs is 1001: it must be at most heartbeatIntervalMs \(1000\); lower it, or raise heartbeatIntervalMs$/,
    ],
    [
      "a margin below a twentieth",
      { safetyMarginMs: 499 },
      /^safetyMarginMs is 499: it must be from 500 to 2500 ms \(.*leaseDurationMs 10000\); or leave it out for a tenth$/,
    ],
    [
      "a margin above a quarter",
      { safetyMarginMs: 2_501 },
      /^safetyMarginMs is 2501: it must be from 500 to 2500/,
    ],
    [
      "two beats and two tries that do not fit the lease",
      { heartbeatIntervalMs: 2_501 },
      /^heartbeatIntervalMs is 2501: it must be small enough .*2 × heartbeatIntervalMs \(2501\) \+ 2 × attemptTimeoutMs \(2000\) <= leaseDurationMs − safetyMarginMs \(9000\); lower it, or raise leaseDurationMs$/,
    ],
    [
      "a try too long for the lease, by the name that was set",
      { attemptTimeoutMs: 2_001 },
      /^attemptTimeoutMs is 2001: it must be small enough/,
    ],
    [
      "a margin that leaves too little of the lease, by the name that was set",
      { safetyMarginMs: 1_001 },
      /^safetyMarginMs is 1001: it must be small enough .*\(8999\); lower it, or set a lower attemptTimeoutMs$/,
    ],
    [
      "a poll more seldom than eight times a lease",
      { pollIntervalMs: 1_251 },
      /^pollIntervalMs is 1251: it must be at most an eighth of leaseDurationMs \(1250\); lower it, or raise leaseDurationMs$/,
    ],
    [
      "a hard bound below the soft one",
      { maxLeases: 10, hardMaxLeases: 9 },
      /^hardMaxLeases is 9: it must be at least maxLeases \(10\); raise it, or lower maxLeases$/,
    ],
  ];
  for (const [what, options, message] of contradictions) {
    it(`refuse ${what}, with value, rule and remedy`, () => {
      expect(refusal(options)).to.match(message);
    });
  }

  it("are accepted at the very edge of each contradiction", () => {
    for (const options of [
      { heartbeatIntervalMs: 1_000, attemptTimeoutMs: 1_000 },
      { safetyMarginMs: 500 },
      { safetyMarginMs: 2_500, attemptTimeoutMs: 1_250 },
      { heartbeatIntervalMs: 2_500, attemptTimeoutMs: 2_000 },
      { pollIntervalMs: 1_250 },
      { maxLeases: 10, hardMaxLeases: 10 },
    ]) {
      holdsTogether(resolveProtocol(options));
    }
  });
});

describe("an application's name", () => {
  for (const name of ["abc", "a.b_c-D9", "x".repeat(249), "fleet", "my-fleet-2"]) {
    it(`may be ${name.slice(0, 12)}`, () => {
      expect(checkApplication(name)).to.equal(name);
    });
  }

  for (const name of ["", "ab", "x".repeat(250), "a b", "a/b", "ä-name", 7, undefined, null]) {
    it(`must not be ${String(name).slice(0, 12)} (${typeof name})`, () => {
      expect(() => checkApplication(name))
        .to.throw(LeaseholdError, /^application is .*: it must be 3 to 249 characters/)
        .with.property("code", "invalid-application");
    });
  }

  it("must not be another application's fleet table", () => {
    expect(() => checkApplication("orders-fleet")).to.throw(LeaseholdError, "must not end in -fleet");
  });
});
