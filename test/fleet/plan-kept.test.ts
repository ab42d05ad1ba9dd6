import { expect } from "chai";
import fc from "fast-check";
import { FleetView } from "../../src/fleet/fleet-view.js";
import { ForcedFences } from "../../src/fleet/forced-fences.js";
import { LeaseView } from "../../src/fleet/lease-view.js";
import type { Member } from "../../src/fleet/member.js";
import { PlanRows } from "../../src/fleet/plan-rows.js";
import { snapshotOf, type PlannedLeases } from "../../src/fleet/snapshot.js";
import { resolveProtocol } from "../../src/model/config.js";
import type { Lease } from "../../src/model/lease.js";
import { adoptionsFor } from "../../src/model/orphans.js";
import { Ledger } from "../../src/model/plan-ledger.js";
import { emptyPlanMemory, plan, type PlanMemory } from "../../src/model/plan.js";
import type { Move, PlanSnapshot } from "../../src/model/plan-snapshot.js";
import { position, shardEnd } from "../../src/model/position.js";
import type { WorkerRow } from "../../src/model/worker-row.js";
import { emptyWorkerRow } from "../../src/store/empty-worker-row.js";
import { seededRandom } from "../../src/testing/index.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import { lease as leaseRow } from "../../src/testing/contract/harness.js";

// Settled at once, so that there is hardly a round in which nothing may move.
const config = { ...resolveProtocol(), settleMs: 0, settleLimitMs: 0 };
const ids = ["w0", "w1", "w2", "w3", "w4", "w5"];
const at = { monoMs: 0, bootMs: 0, wallMs: 0 };

/** Keys of shards, and such as no numbers tell apart: empty, alike for long, of units beyond ASCII. */
const keys = [
  ...Array.from({ length: 44 }, (_, i) => `shardId-${String(i * 7).padStart(12, "0")}`),
  ...[
    "",
    "~",
    "é",
    "éa",
    "\ud83d",
    "\uffff",
    `${"long".repeat(80)}é`,
    `${"long".repeat(80)}ü`,
    "shardId-~a",
    "shardId-~",
  ],
];

/** A fleet in which anything happens, its store, and a planner whose views, list and ledger are kept all the while. */
class Scene {
  moves = 0;
  readonly #random;
  readonly #leases = new LeaseView();
  readonly #fleet: FleetView;
  readonly #posted = new Map<string, Move>();
  readonly #cool = new Map<string, number>();
  readonly #stored = new Map<string, Lease>();
  readonly #workers = new Map<string, WorkerRow>();
  readonly #planned: PlannedLeases = {
    target: (key, epoch) => (this.#posted.get(key)?.epoch === epoch ? this.#posted.get(key)?.to : undefined),
    coolUntilMs: (key) => this.#cool.get(key),
    keys: () => [...this.#posted.keys(), ...this.#cool.keys()],
  };
  readonly #member: Member;
  #rows: PlanRows;
  #adopters: PlanRows;
  #memory: PlanMemory = emptyPlanMemory;
  #ledger: Ledger | undefined;
  #nowMs = 0;
  /** What was seen in the round before, and how it looked then. */
  #shown: { readonly snapshot: PlanSnapshot; readonly copy: PlanSnapshot } | undefined;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#fleet = new FleetView(new ForcedFences(new VirtualTime().clock(), config.expiryMs));
    this.#member = {
      workerId: "w0",
      leases: this.#leases,
      fleet: this.#fleet,
      deps: { config, clock: { now: () => ({ ...at, monoMs: this.#nowMs }) }, host: { unfit: () => [] } },
    } as unknown as Member;
    this.#rows = new PlanRows(this.#member, this.#planned);
    this.#adopters = new PlanRows(this.#member);
    for (const id of ids.slice(0, 3)) this.join(id);
    keys.forEach((key, i) => {
      if (i % 4 === 0) return;
      const parents = i % 8 === 7 ? keys.slice(i - 1, i) : [];
      this.write(key, { owner: this.#any(ids.slice(0, 2)), parents });
    });
    this.scan();
  }

  #any<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random.next() * list.length)] as T;
  }

  #anyKey(): string {
    const known = [...this.#stored.keys()];
    return known.length === 0 ? this.#any(keys) : this.#any(known);
  }

  /** @param isKnown whether the write is the planner's own: others' are known by the next scan */
  write(leaseKey: string, more: Partial<Lease>, isKnown = false): void {
    const before = this.#stored.get(leaseKey);
    const lease = leaseRow(leaseKey, {
      checkpoint: position("1"),
      ...before,
      epoch: (before?.epoch ?? 0) + 1,
      ...more,
    });
    this.#stored.set(leaseKey, lease);
    if (isKnown) this.#leases.apply(lease);
  }

  /** Checkpoints: another load, and nothing else. */
  checkpoint(share: number): void {
    for (const [key, { epoch }] of this.#stored) {
      if (this.#random.next() >= share) continue;
      const throughputKBps = this.#any([undefined, 0, NaN, -1, 3, 20, 100, 700]);
      this.write(key, { epoch, ...(throughputKBps === undefined ? {} : { throughputKBps }) });
    }
  }

  take(isKnown: boolean): void {
    this.write(this.#anyKey(), { owner: this.#any(ids) }, isKnown);
  }

  split(): void {
    const parent = this.#anyKey();
    this.write(parent, { checkpoint: shardEnd });
    for (let i = 0; i < 2; i++) this.make([parent]);
  }

  make(parents = this.#random.next() < 0.5 ? [this.#anyKey()] : []): void {
    const key = this.#any(keys);
    if (!this.#stored.has(key)) this.write(key, { parents, owner: this.#any(ids) });
  }

  /** Some lease's children wait no more, whose rows stay as they are. */
  finishParent(): void {
    const parents = [...this.#stored.values()].flatMap((lease) => lease.parents);
    const parent = parents.length === 0 ? undefined : this.#any(parents);
    if (parent !== undefined && this.#stored.has(parent)) this.write(parent, { checkpoint: shardEnd }, true);
  }

  drop(isKnown: boolean): void {
    const key = this.#anyKey();
    this.#stored.delete(key);
    if (isKnown) this.#leases.remove(key);
  }

  /** Finished, gone, and made again: it stands at the end of a scan then. */
  makeAgain(): void {
    const key = this.#anyKey();
    this.write(key, { checkpoint: shardEnd });
    if (this.#random.next() < 0.5) this.#leases.remove(key);
    const { epoch = 0 } = this.#stored.get(key) ?? {};
    this.#stored.delete(key);
    this.write(key, { epoch: epoch + 1 });
  }

  join(workerId: string): void {
    this.#workers.set(workerId, { ...emptyWorkerRow(workerId, 1), joining: this.#random.next() < 0.5 });
    this.read();
  }

  die(workerId: string): void {
    const row = this.#workers.get(workerId);
    if (row === undefined) return;
    const dead: WorkerRow = { ...row, fencedBy: "w0", fenceKind: "observer" };
    this.#workers.set(workerId, dead);
    this.#fleet.applyWorker(dead);
  }

  /** Its row is gone, and comes again perhaps. */
  leave(workerId: string): void {
    this.#workers.delete(workerId);
    this.read();
  }

  drain(workerId: string): void {
    const row = this.#workers.get(workerId);
    if (row !== undefined) this.#workers.set(workerId, { ...row, draining: !row.draining });
    this.read();
  }

  read(): void {
    const workers = [...this.#workers.values()];
    this.#fleet.apply({ workers, planner: undefined, meta: undefined }, at);
  }

  /** As of a store over the network, or in memory; in another order now and then, and without rows that are broken. */
  scan(): void {
    let leases = [...this.#stored.values()];
    if (this.#random.next() < 0.5) leases = leases.map((lease) => ({ ...lease }));
    if (this.#random.next() < 0.2) leases.sort(() => this.#random.next() - 0.5);
    const broken = this.#random.next() < 0.1 ? this.#anyKey() : undefined;
    const invalid = broken === undefined ? [] : [{ leaseKey: broken, problem: "broken" }];
    leases = leases.filter(({ leaseKey }) => leaseKey !== broken);
    this.#leases.replace({ leases, invalid, kclRows: [] });
  }

  strangers(): void {
    this.#leases.leaveToStrangers(new Set(keys.filter(() => this.#random.next() < 0.1)));
  }

  /** What was directed is done, or refused and rests. */
  answer(): void {
    for (const [key, { to, epoch }] of this.#posted) {
      if (this.#random.next() < 0.4) continue;
      this.#posted.delete(key);
      if (this.#random.next() < 0.3) this.#cool.set(key, this.#nowMs + 3_000);
      else if (this.#stored.get(key)?.epoch === epoch)
        this.write(key, { owner: to }, this.#random.next() < 0.5);
    }
    for (const [key, untilMs] of this.#cool) if (untilMs < this.#nowMs) this.#cool.delete(key);
  }

  depose(): void {
    this.#posted.clear();
    this.#rows = new PlanRows(this.#member, this.#planned);
    this.#memory = emptyPlanMemory;
  }

  /** One round: the plan with all that was kept is the one made from nothing, whatever order its rows come in. */
  round(): void {
    this.#nowMs += config.pollIntervalMs;
    const snapshot = snapshotOf(this.#member, this.#rows.look());
    const fresh = snapshotOf(this.#member, new PlanRows(this.#member, this.#planned).look());
    expect(snapshot).to.deep.equal(fresh);
    if (this.#shown !== undefined) expect(this.#shown.snapshot).to.deep.equal(this.#shown.copy);
    this.#shown = { snapshot, copy: structuredClone(snapshot) };
    const kept = plan(snapshot, this.#memory);
    const anew = plan(this.#mixed(fresh), { ...this.#memory, ledger: undefined });
    expect(kept.moves).to.deep.equal(anew.moves);
    for (const part of ["members", "deviations", "firstDeficits"] as const)
      expect(kept.memory[part], part).to.deep.equal(anew.memory[part]);
    this.#adopt();
    this.#memory = kept.memory;
    for (const move of kept.moves) this.#posted.set(move.leaseKey, move);
    this.moves += kept.moves.length;
  }

  #mixed({ inOrder: _, ...snapshot }: PlanSnapshot): PlanSnapshot {
    const order = [...snapshot.leases.keys()].sort(() => this.#random.next() - 0.5);
    return {
      ...snapshot,
      leases: order.flatMap((i) => snapshot.leases[i] ?? []),
      weights: Float64Array.from(order, (i) => snapshot.weights?.[i] ?? NaN),
    };
  }

  #adopt(): void {
    const snapshot = snapshotOf(this.#member, this.#adopters.look());
    this.#ledger = Ledger.of(snapshot, this.#ledger);
    const old = new Map(keys.map((key) => [key, -1e6]));
    const anew = snapshotOf(this.#member);
    expect(adoptionsFor("w0", old, snapshot, this.#ledger)).to.deep.equal(adoptionsFor("w0", old, anew));
  }
}

type Step = (scene: Scene) => void;

const anyId = fc.constantFrom(...ids);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Step>((scene) => scene.scan()) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(0.1, 1).map(
      (share): Step =>
        (scene) =>
          scene.checkpoint(share),
    ),
  },
  {
    weight: 2,
    arbitrary: anyId.map(
      (id): Step =>
        (scene) =>
          scene.join(id),
    ),
  },
  fc.constantFrom(true, false).map(
    (isKnown): Step =>
      (scene) =>
        scene.take(isKnown),
  ),
  fc.constantFrom(true, false).map(
    (isKnown): Step =>
      (scene) =>
        scene.drop(isKnown),
  ),
  fc.constantFrom<Step>(
    (scene) => scene.split(),
    (scene) => scene.make(),
    (scene) => scene.finishParent(),
    (scene) => scene.makeAgain(),
    (scene) => scene.strangers(),
    (scene) => scene.answer(),
  ),
  anyId.map(
    (id): Step =>
      (scene) =>
        scene.die(id),
  ),
  anyId.map(
    (id): Step =>
      (scene) =>
        scene.leave(id),
  ),
  anyId.map(
    (id): Step =>
      (scene) =>
        scene.drain(id),
  ),
);
/** A planner is deposed once in a while. */
const anyRound = fc.record({
  steps: fc.array(anyStep, { maxLength: 4 }),
  isLast: fc.nat(30).map((n) => n === 0),
});

describe("a planner that keeps what it has seen", () => {
  it("plans and adopts what one would that knows nothing of before, whatever happens to the fleet", () => {
    let moves = 0;
    fc.assert(
      fc.property(fc.nat(), fc.array(anyRound, { minLength: 5, maxLength: 25 }), (seed, rounds) => {
        const scene = new Scene(seed);
        for (const { steps, isLast } of rounds) {
          for (const step of steps) step(scene);
          scene.answer();
          scene.round();
          if (isLast) scene.depose();
        }
        moves += scene.moves;
      }),
      { numRuns: 200 },
    );
    // Else it would be the same nothing.
    expect(moves).to.be.above(200);
  });
});
