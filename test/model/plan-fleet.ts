import { resolveProtocol } from "../../src/model/config.js";
import { emptyPlanMemory, isFilled, plan, type PlanMemory } from "../../src/model/plan.js";
import type { Move, PlanLease, PlanSnapshot, PlanWorker } from "../../src/model/plan-snapshot.js";

export const config = resolveProtocol();
export const pollMs = config.pollIntervalMs;

export interface FleetOptions {
  /** Workers beside those that own something, one a letter, and what is special about any of them. */
  readonly workers?: Readonly<Record<string, Partial<PlanWorker>>>;
  /** What is special about leases, by key. */
  readonly leases?: Readonly<Record<string, Partial<PlanLease>>>;
  /** Weights in the order of the leases; undefined where unknown. */
  readonly weights?: readonly (number | undefined)[];
  readonly nowMs?: number;
}

export function aWorker(workerId: string, special: Partial<PlanWorker> = {}): PlanWorker {
  return {
    workerId,
    live: true,
    draining: false,
    joining: false,
    blind: false,
    unfit: [],
    join: 0,
    ...special,
  };
}

export function aLease(
  leaseKey: string,
  owner: string | undefined,
  special: Partial<PlanLease> = {},
): PlanLease {
  return {
    leaseKey,
    epoch: 1,
    weight: undefined,
    finished: false,
    waiting: false,
    free: owner === undefined,
    ...(owner === undefined ? {} : { owner }),
    ...special,
  };
}

/** The key of the i-th lease. */
export function keyOf(i: number): string {
  return `s${String(i).padStart(4, "0")}`;
}

/** `fleet("AAB.")`: leases s0000 and s0001 are A's, s0002 is B's, s0003 nobody's. Also as a list of owners. */
export function fleet(
  owners: string | readonly (string | undefined)[],
  options: FleetOptions = {},
): PlanSnapshot {
  const list = (typeof owners === "string" ? owners.split("") : owners).map((owner) =>
    owner === "." ? undefined : owner,
  );
  const ids = new Set(list.filter((owner) => owner !== undefined));
  for (const id of Object.keys(options.workers ?? {})) ids.add(id);
  return {
    nowMs: options.nowMs ?? 1_000_000,
    config,
    workers: [...ids].map((id) => aWorker(id, options.workers?.[id])),
    leases: list.map((owner, i) =>
      aLease(keyOf(i), owner, { weight: options.weights?.[i], ...options.leases?.[keyOf(i)] }),
    ),
  };
}

/** `count` workers named w000, w001 and so on. */
export function workerIds(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `w${String(i).padStart(3, "0")}`);
}

/** `leases` leases dealt out evenly to `workers` workers. */
export function evenFleet(leases: number, workers: number, options: FleetOptions = {}): PlanSnapshot {
  const ids = workerIds(workers);
  const owners = Array.from({ length: leases }, (_, i) => ids[i % workers]);
  return fleet(owners, {
    ...options,
    workers: { ...Object.fromEntries(ids.map((id) => [id, {}])), ...options.workers },
  });
}

/** The moves of a planner that has watched this fleet long enough for everything. */
export function settledMoves(snapshot: PlanSnapshot): readonly Move[] {
  return plan(snapshot, settledMemory(snapshot)).moves;
}

/** What a planner knows that could move nothing for ten rounds, because somebody was leaving all the time. */
export function settledMemory(snapshot: PlanSnapshot): PlanMemory {
  let memory = emptyPlanMemory;
  const held: PlanSnapshot = {
    ...snapshot,
    workers: [...snapshot.workers, aWorker("~leaver", { draining: true })],
  };
  for (let round = 10; round > 0; round--) {
    memory = plan({ ...held, nowMs: snapshot.nowMs - round * pollMs }, memory).memory;
  }
  return memory;
}

export function applyMoves(snapshot: PlanSnapshot, moves: readonly Move[]): PlanSnapshot {
  const byKey = new Map(moves.map((move) => [move.leaseKey, move]));
  return {
    ...snapshot,
    leases: snapshot.leases.map((lease) => {
      const move = byKey.get(lease.leaseKey);
      if (move === undefined) return lease;
      return {
        ...lease,
        owner: move.to,
        free: false,
        epoch: lease.epoch + 1,
        coolUntilMs: snapshot.nowMs + config.coolDownMs,
      };
    }),
  };
}

/** Gives free leases to their takers. */
export function applyAdoptions(snapshot: PlanSnapshot, takers: ReadonlyMap<string, string>): PlanSnapshot {
  return {
    ...snapshot,
    leases: snapshot.leases.map((lease) => {
      const owner = takers.get(lease.leaseKey);
      return owner === undefined ? lease : { ...lease, owner, free: false, epoch: lease.epoch + 1 };
    }),
  };
}

export interface Run {
  readonly snapshot: PlanSnapshot;
  readonly memory: PlanMemory;
  /** The moves of each round. */
  readonly rounds: readonly (readonly Move[])[];
}

export interface RunOptions {
  readonly memory?: PlanMemory;
  /** Changes what the planner sees in a round, and only that. */
  readonly seenAs?: (snapshot: PlanSnapshot, round: number) => PlanSnapshot;
}

/** Plans and lets every move happen before the next round; newcomers clear `joining` as the protocol says. */
export function runRounds(start: PlanSnapshot, count: number, options: RunOptions = {}): Run {
  let snapshot = start;
  let memory = options.memory ?? emptyPlanMemory;
  const rounds: (readonly Move[])[] = [];
  for (let round = 0; round < count; round++) {
    const made = plan(options.seenAs?.(snapshot, round) ?? snapshot, memory);
    memory = made.memory;
    rounds.push(made.moves);
    const applied = applyMoves(snapshot, made.moves);
    snapshot = {
      ...applied,
      nowMs: applied.nowMs + pollMs,
      workers: applied.workers.map((worker) =>
        worker.joining && isFilled(applied, worker.workerId) ? { ...worker, joining: false } : worker,
      ),
    };
  }
  return { snapshot, memory, rounds };
}

export function allMoves(run: Run): Move[] {
  return run.rounds.flat();
}

/** Leases per worker, those without any included. */
export function countsOf(snapshot: PlanSnapshot): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { workerId, live } of snapshot.workers) if (live) counts[workerId] = 0;
  for (const { owner, free, finished } of snapshot.leases) {
    if (owner !== undefined && !free && !finished) counts[owner] = (counts[owner] ?? 0) + 1;
  }
  return counts;
}

/** Load per live worker, by the weights as they are. */
export function loadsOf(snapshot: PlanSnapshot): number[] {
  const loads = new Map(snapshot.workers.filter(({ live }) => live).map(({ workerId }) => [workerId, 0]));
  for (const { owner, weight } of snapshot.leases) {
    if (owner !== undefined && loads.has(owner)) loads.set(owner, (loads.get(owner) ?? 0) + (weight ?? 0));
  }
  return [...loads.values()];
}

export function spread(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}

/** A small generator of numbers in [0, 1) for noise that is the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Zipf weights: the i-th is `1000 / (i + 1)^exponent`. */
export function zipf(count: number, exponent: number): number[] {
  return Array.from({ length: count }, (_, i) => 1_000 / (i + 1) ** exponent);
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const a = result[i] as T;
    result[i] = result[j] as T;
    result[j] = a;
  }
  return result;
}
