import { resolveProtocol, type ProtocolConfig } from "../../src/model/config.js";
import { followRollout, type Rollout } from "../../src/model/deployments.js";
import { adoptionsFor, orphansOf } from "../../src/model/orphans.js";
import { planLeaving } from "../../src/model/plan-leaving.js";
import { emptyPlanMemory, plan, type PlanMemory } from "../../src/model/plan.js";
import type { PlanSnapshot, PlanWorker } from "../../src/model/plan-snapshot.js";
import { aLease, aWorker, keyOf, seeded } from "./plan-fleet.js";

/** `highest-join` is the protocol's; the others are what it was chosen over. */
export type DeployRule = "highest-join" | "appeared-last" | "none";

export interface SimulatedFleetOptions {
  /** Decides where events stand against the rounds, and how long handoffs take. */
  readonly seed: number;
  readonly leases: number;
  /** How many workers it begins with, each with its share. */
  readonly workers: number;
  readonly deployment?: string;
  readonly weights?: readonly number[];
  /** What the planner reads in place of a weight, each round. */
  readonly noise?: (weight: number, random: () => number) => number;
  readonly rule?: DeployRule;
  readonly deployHoldMs?: number;
}

interface Member {
  readonly id: string;
  readonly deployment: string;
  readonly join: number;
  /** When in each p it has its own round. */
  readonly phaseMs: number;
  beats: boolean;
  fenced: boolean;
  joining: boolean;
  draining: boolean;
  lastGainMs: number;
  leases: number;
  readonly firstSeenMs: Map<string, number>;
}

interface Held {
  owner: string;
  epoch: number;
  coolUntilMs: number;
  inFlight: { readonly to: string; readonly atMs: number } | undefined;
}

const tickMs = 50;

/**
 * A fleet whose workers are nothing but the protocol's decisions: `plan`, `planLeaving` and `adoptionsFor` are asked at
 * the instants at which the shipped classes ask them, and what they decide happens after about as long as it takes there.
 * Fast enough for many seeds; what writes, reads and clocks do is the simulator's.
 */
export class SimulatedFleet {
  readonly config: ProtocolConfig;
  nowMs = 0;
  /** Changes of owner. */
  changes = 0;
  /** When every lease had an owner that lives again, after it had not. */
  ownedAtMs = 0;
  readonly #options: SimulatedFleetOptions;
  readonly #random: () => number;
  readonly #members = new Map<string, Member>();
  readonly #leases = new Map<string, Held>();
  readonly #appeared = new Map<string, number>();
  readonly #due: { readonly atMs: number; readonly run: () => void }[] = [];
  #memory: PlanMemory = emptyPlanMemory;
  #rollout: Rollout | undefined;
  #joins = 0;
  /** A worker has died, and what it had is not with others yet. */
  #bereft = false;

  constructor(options: SimulatedFleetOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
    const { deployHoldMs } = options;
    this.config = resolveProtocol(deployHoldMs === undefined ? {} : { deployHoldMs });
    const ids = Array.from({ length: options.workers }, () => this.#create(options.deployment ?? "v1").id);
    for (const id of ids) {
      const member = this.#member(id);
      member.beats = true;
      member.joining = false;
    }
    for (let i = 0; i < options.leases; i++) {
      const owner = ids[i % ids.length] ?? "";
      this.#leases.set(keyOf(i), { owner, epoch: 1, coolUntilMs: 0, inFlight: undefined });
    }
    // Somewhere in its rounds, long after everything has settled.
    this.run(20_000 + Math.floor((this.#random() * 1_000) / tickMs) * tickMs);
  }

  /** Workers that live and stay, in the order in which they joined. */
  ids(deployment?: string): string[] {
    return this.#staying()
      .filter((member) => deployment === undefined || member.deployment === deployment)
      .map(({ id }) => id);
  }

  /** A worker starts: its row is there at once, its first beat a little later. @returns its id */
  join(deployment = "v1"): string {
    const { id } = this.#create(deployment);
    this.#after(100, () => {
      this.#member(id).beats = true;
    });
    return id;
  }

  /** A clean stop: the row says so, and what it holds goes where its own plan says. */
  leave(id: string): void {
    const leaver = this.#member(id);
    leaver.draining = true;
    this.#after(50, () => {
      const moves = new Map(planLeaving(this.#snapshot(), id).map((move) => [move.leaseKey, move.to]));
      for (const [key, lease] of this.#leases) {
        if (lease.owner !== id) continue;
        lease.inFlight = undefined;
        this.#after(100 + this.#random() * 900, () => {
          const to = moves.get(key);
          if (lease.owner === id && to !== undefined && this.#member(to).beats) this.#give(key, to);
        });
      }
      this.#after(1_200, () => {
        this.#end(id);
      });
    });
  }

  /** SIGKILL: fenced by whoever first has seen its beat stand still for T. */
  crash(id: string): void {
    this.#member(id).beats = false;
    this.#bereft = true;
    this.#after(this.config.expiryMs + this.#random() * this.config.pollIntervalMs, () => {
      this.#end(id);
    });
  }

  run(ms: number): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs;) {
      this.nowMs += tickMs;
      const due = this.#due.filter(({ atMs }) => atMs <= this.nowMs);
      for (const event of due) this.#due.splice(this.#due.indexOf(event), 1);
      for (const { run } of due.sort((a, b) => a.atMs - b.atMs)) run();
      for (const member of this.#staying()) {
        if (this.nowMs % this.config.pollIntervalMs === member.phaseMs) this.#round(member);
      }
      this.#watch();
    }
  }

  /** The greatest load of a worker that lives and stays, divided by their mean; of counts where there are no weights. */
  get maxToMean(): number {
    const loads = new Map(this.#staying().map(({ id }) => [id, 0]));
    let i = 0;
    for (const { owner } of this.#leases.values()) {
      const weight = this.#options.weights?.[i++] ?? 1;
      if (loads.has(owner)) loads.set(owner, (loads.get(owner) ?? 0) + weight);
    }
    const all = [...loads.values()];
    return (Math.max(...all) * all.length) / all.reduce((a, b) => a + b, 0);
  }

  /** Leases per worker that lives and stays. */
  get counts(): Readonly<Record<string, number>> {
    const counts = Object.fromEntries(this.#staying().map(({ id }) => [id, 0]));
    for (const { owner } of this.#leases.values()) {
      const count = counts[owner];
      if (count !== undefined) counts[owner] = count + 1;
    }
    return counts;
  }

  #create(deployment: string): Member {
    const join = ++this.#joins;
    if (!this.#appeared.has(deployment)) this.#appeared.set(deployment, join);
    const phases = this.config.pollIntervalMs / tickMs;
    const member: Member = {
      id: `w${String(join).padStart(3, "0")}`,
      deployment,
      join,
      phaseMs: Math.floor(this.#random() * phases) * tickMs,
      beats: false,
      fenced: false,
      joining: true,
      draining: false,
      lastGainMs: this.nowMs,
      leases: 0,
      firstSeenMs: new Map(),
    };
    this.#members.set(member.id, member);
    return member;
  }

  #member(id: string): Member {
    const member = this.#members.get(id);
    if (member === undefined) throw new Error(`no worker ${id}`);
    return member;
  }

  /** Not fenced, has beaten, does not leave. A dead one is thought to be one of them until its fence. */
  #staying(): Member[] {
    return [...this.#members.values()].filter(({ beats, fenced, draining }) => beats && !fenced && !draining);
  }

  #round(member: Member): void {
    if (member.id === this.#planner()) this.#plan();
    this.#clearJoining(member);
    if (this.#bereft) this.#adopt(member);
  }

  #planner(): string | undefined {
    return this.#staying()[0]?.id;
  }

  #plan(): void {
    const { moves, memory } = plan(this.#snapshot(), this.#memory);
    this.#memory = memory;
    for (const { leaseKey, to } of moves) {
      const lease = this.#leases.get(leaseKey);
      if (lease === undefined) continue;
      // Read with the giver's next look, drained, handed over, noted.
      const atMs = this.nowMs + 200 + this.#random() * 1_300;
      lease.inFlight = { to, atMs };
      this.#after(atMs - this.nowMs, () => {
        if (lease.inFlight?.to !== to) return;
        lease.inFlight = undefined;
        const target = this.#member(to);
        if (!target.fenced && !target.draining && this.#member(lease.owner).beats) this.#give(leaseKey, to);
      });
    }
  }

  #clearJoining(member: Member): void {
    if (!member.joining) return;
    const { [member.id]: own = 0, ...others } = this.counts;
    if (own > member.leases) member.lastGainMs = this.nowMs;
    member.leases = own;
    const total = Object.values(others).reduce((a, b) => a + b, own);
    const { pollIntervalMs, settleMs } = this.config;
    const nothingToGet = this.nowMs - member.lastGainMs >= Math.max(20 * pollIntervalMs, 4 * settleMs);
    if (nothingToGet || own >= total / (Object.keys(others).length + 1) - 1) member.joining = false;
  }

  #adopt(member: Member): void {
    const snapshot = this.#snapshot();
    const orphans = orphansOf(snapshot).map(({ leaseKey }) => leaseKey);
    for (const key of member.firstSeenMs.keys()) if (!orphans.includes(key)) member.firstSeenMs.delete(key);
    for (const key of orphans) {
      if (!member.firstSeenMs.has(key)) member.firstSeenMs.set(key, this.nowMs);
    }
    if (orphans.length === 0) return;
    for (const key of adoptionsFor(member.id, member.firstSeenMs, snapshot)) this.#give(key, member.id);
  }

  #give(key: string, to: string): void {
    const lease = this.#leases.get(key);
    if (lease === undefined) return;
    this.changes += 1;
    lease.owner = to;
    lease.epoch += 1;
    lease.coolUntilMs = this.nowMs + this.config.coolDownMs;
  }

  #end(id: string): void {
    const member = this.#member(id);
    member.beats = false;
    member.fenced = true;
  }

  #watch(): void {
    if (!this.#bereft || [...this.#leases.values()].some(({ owner }) => !this.#member(owner).beats)) return;
    this.#bereft = false;
    this.ownedAtMs = this.nowMs;
  }

  #after(ms: number, run: () => void): void {
    this.#due.push({ atMs: this.nowMs + ms, run });
  }

  #snapshot(): PlanSnapshot {
    const { rule = "highest-join", weights, noise } = this.#options;
    const workers = [...this.#members.values()]
      .filter((member) => member.beats || !member.fenced)
      .map((member): PlanWorker => {
        const { id, deployment, joining, draining, fenced } = member;
        const join = rule === "appeared-last" ? (this.#appeared.get(deployment) ?? 0) : member.join;
        return aWorker(id, { deployment, joining, draining, join, live: !fenced });
      });
    this.#rollout = rule === "none" ? undefined : followRollout(this.#rollout, workers, this.nowMs);
    let i = 0;
    const leases = [...this.#leases].map(([key, { owner, epoch, coolUntilMs, inFlight }]) => {
      const weight = weights?.[i++];
      return aLease(key, owner, {
        epoch,
        coolUntilMs,
        free: this.#member(owner).fenced,
        ...(weight === undefined ? {} : { weight: noise?.(weight, this.#random) ?? weight }),
        ...(inFlight === undefined ? {} : { inFlightTo: inFlight.to }),
      });
    });
    return {
      nowMs: this.nowMs,
      workers,
      leases,
      config: this.config,
      ...(this.#rollout === undefined ? {} : { rollout: this.#rollout }),
    };
  }
}
