import { resolveProtocol } from "../../model/config.js";
import type { ProxyFault } from "../proxy-faults.js";
import { seededRandom, type SeededRandom } from "../seeded-random.js";

/** Which kind of process it happens to: one without a supervisor, a supervised one, or a supervisor itself. */
export type Victim = "solo" | "child" | "supervisor";

/** What passes before the services of one process, or of all. */
export interface ChaosWeather {
  readonly name: string;
  readonly dynamodb: readonly ProxyFault[];
  readonly kinesis: readonly ProxyFault[];
}

/** One thing that is done to the fleet. Times in ms, from when the fleet was whole. */
export type ChaosAct =
  /** SIGKILL to so many at once; those without a supervisor are started again after `downMs`. */
  | {
      readonly kind: "kill";
      readonly atMs: number;
      readonly victim: Victim;
      readonly pick: number;
      readonly count: number;
      readonly downMs: number;
    }
  /** SIGSTOP, and SIGCONT after `forMs`; or SIGKILL, for one that must not have the chance to notice. */
  | {
      readonly kind: "pause";
      readonly atMs: number;
      readonly victim: Victim;
      readonly pick: number;
      readonly forMs: number;
      readonly endsBy: "SIGCONT" | "SIGKILL";
    }
  /** SIGTERM, a second one after `hurryMs` where there is one, and a new start `downMs` after the end. */
  | {
      readonly kind: "stop";
      readonly atMs: number;
      readonly victim: Exclude<Victim, "child">;
      readonly pick: number;
      readonly hurryMs: number | undefined;
      readonly downMs: number;
    }
  | {
      readonly kind: "reshard";
      readonly atMs: number;
      readonly how: "split" | "merge";
      readonly pick: number;
    }
  /** Bad weather before the services of one process (`pick`) or of all. */
  | {
      readonly kind: "proxy";
      readonly atMs: number;
      readonly forMs: number;
      readonly before: "one" | "all";
      readonly pick: number;
      readonly weather: ChaosWeather;
    };

export type FaultCounts = Readonly<Record<ChaosAct["kind"], number>>;

/** Fewer than these in so many minutes prove too little. */
export function leastFaults(minutes: number): FaultCounts {
  return {
    kill: Math.ceil((10 / 3) * minutes),
    pause: Math.ceil((5 / 3) * minutes),
    stop: Math.ceil(minutes / 3),
    reshard: Math.ceil((2 / 3) * minutes),
    proxy: Math.ceil(minutes),
  };
}

/** More than the least, so that one that finds nobody to happen to costs nothing. */
function plannedFaults(minutes: number): FaultCounts {
  const least = leastFaults(minutes);
  return {
    kill: least.kill + Math.ceil(minutes / 2),
    pause: least.pause + Math.ceil(minutes),
    stop: Math.ceil(minutes),
    reshard: least.reshard + Math.ceil(minutes / 3),
    proxy: Math.ceil(2.5 * minutes),
  };
}

const kills: Some<Victim> = ["solo", "child", "solo", "child", "solo", "supervisor"];
const pauses: Some<Victim> = ["solo", "child", "child", "solo", "solo", "solo", "supervisor", "child"];
const stops: Some<Exclude<Victim, "child">> = ["solo", "supervisor", "solo"];

const severalEvery = 4;
const neverWakesEvery = 5;

/** The same seed draws the same acts at the same times. What real processes make of them is not the same twice. */
export function drawSchedule(options: {
  readonly seed: number;
  readonly minutes: number;
  readonly leaseDurationMs: number;
}): readonly ChaosAct[] {
  const { seed, minutes, leaseDurationMs } = options;
  const { expiryMs } = resolveProtocol({ leaseDurationMs });
  const spanMs = minutes * 60_000;
  const counts = plannedFaults(minutes);
  // Each kind draws from a stream of its own: one more of this kind changes nothing of the others.
  const random = seededRandom(`chaos ${String(seed)}`);
  const spread = <T extends ChaosAct>(
    kind: T["kind"],
    draw: (i: number, atMs: number, from: SeededRandom) => T,
  ): readonly T[] => {
    const from = random.fork(kind);
    const stepMs = spanMs / counts[kind];
    return Array.from({ length: counts[kind] }, (_, i) =>
      // Spread evenly and drawn within its own stretch: chance decides when, never whether.
      draw(i, Math.round((i + from.between(0.05, 0.95)) * stepMs), from),
    );
  };
  // A short run meets other weather under another seed.
  const first = random.fork("weather").integer(0, weathers.length - 1);
  const downMs = (from: SeededRandom): number =>
    // Half of them are back before anybody has noticed, the others when all is over.
    Math.round(from.chance(0.5) ? from.between(100, 1_000) : from.between(expiryMs, 2 * expiryMs));
  const acts: readonly ChaosAct[] = [
    ...spread("kill", (i, atMs, from) => {
      const victim = inTurn(kills, i);
      // Now and then several: whoever observes a row may die with it.
      const count = i % severalEvery === severalEvery - 1 ? from.integer(2, 3) : 1;
      return { kind: "kill", atMs, victim, pick: from.integer(0, 999), count, downMs: downMs(from) };
    }),
    ...spread("pause", (i, atMs, from) => {
      const victim = inTurn(pauses, i);
      // In turn one that a belief may survive, and one after which others hold what was held.
      const [least, most] = i % 2 === 0 ? [0.2, 0.95] : [1.1, 2.2];
      const forMs = Math.round(expiryMs * from.between(least, most));
      const endsBy = i % neverWakesEvery === neverWakesEvery - 1 ? "SIGKILL" : "SIGCONT";
      return { kind: "pause", atMs, victim, pick: from.integer(0, 999), forMs, endsBy };
    }),
    ...spread("stop", (i, atMs, from) => ({
      kind: "stop",
      atMs,
      victim: inTurn(stops, i),
      pick: from.integer(0, 999),
      hurryMs: from.chance(0.3) ? from.integer(400, 2_500) : undefined,
      downMs: downMs(from),
    })),
    ...spread("reshard", (i, atMs, from) => ({
      kind: "reshard",
      atMs,
      // In turn, so that the stream neither grows nor shrinks for long.
      how: i % 2 === 0 ? "split" : "merge",
      pick: from.integer(0, 999),
    })),
    ...spread("proxy", (i, atMs, from) => ({
      kind: "proxy",
      atMs,
      forMs: Math.round(leaseDurationMs * from.between(0.5, 2.5)),
      before: from.chance(0.5) ? "one" : "all",
      pick: from.integer(0, 999),
      weather: inTurn(weathers, first + i)(from),
    })),
  ];
  return acts.toSorted((a, b) => a.atMs - b.atMs);
}

const weathers: Some<(from: SeededRandom) => ChaosWeather> = [
  (from) => {
    const share = from.between(0.1, 0.4);
    return {
      name: "answers lost after they were applied",
      dynamodb: [{ kind: "lost-answer", of: "writes", share }],
      kinesis: [],
    };
  },
  () => ({ name: "the store is down", dynamodb: [{ kind: "outage" }], kinesis: [] }),
  (from) => {
    const ms: readonly [number, number] = [from.integer(20, 100), from.integer(200, 900)];
    return { name: "slow answers", dynamodb: [{ kind: "delay", ms }], kinesis: [{ kind: "delay", ms }] };
  },
  (from) => {
    const share = from.between(0.1, 0.3);
    return {
      name: "writes that arrive when nobody waits for them any more",
      dynamodb: [{ kind: "delay", of: "writes", ms: [1_000, 6_000], share }],
      kinesis: [],
    };
  },
  (from) => {
    const share = from.between(0.3, 0.7);
    return {
      name: "throttled",
      dynamodb: [{ kind: "throttle", share }],
      kinesis: [{ kind: "throttle", share }],
    };
  },
  () => ({ name: "connections cut off and deaf", dynamodb: [{ kind: "half-open" }], kinesis: [] }),
  () => ({
    name: "the store takes no writes",
    dynamodb: [{ kind: "outage", of: "writes" }],
    kinesis: [],
  }),
  (from) => ({
    name: "errors, and requests that are swallowed",
    dynamodb: [
      { kind: "error", status: 503, share: from.between(0.1, 0.3) },
      { kind: "silent", share: from.between(0.05, 0.15) },
    ],
    kinesis: [{ kind: "error", status: 500, share: from.between(0.1, 0.5) }],
  }),
  () => ({
    name: "the store answers no reads",
    dynamodb: [{ kind: "outage", of: "reads" }],
    kinesis: [],
  }),
  () => ({ name: "the stream is down", dynamodb: [], kinesis: [{ kind: "outage" }] }),
];

/** A list that is never empty. */
type Some<T> = readonly [T, ...T[]];

function inTurn<T>(list: Some<T>, i: number): T {
  return list[i % list.length] ?? list[0];
}
