import { expect } from "chai";
import fc from "fast-check";
import { FleetView } from "../../src/fleet/fleet-view.js";
import { ForcedFences } from "../../src/fleet/forced-fences.js";
import { LeaseView } from "../../src/fleet/lease-view.js";
import type { Member } from "../../src/fleet/member.js";
import { PlanRows } from "../../src/fleet/plan-rows.js";
import { planLease, type PlannedLeases } from "../../src/fleet/snapshot.js";
import { resolveProtocol } from "../../src/model/config.js";
import type { Lease } from "../../src/model/lease.js";
import { position, shardEnd } from "../../src/model/position.js";
import type { WorkerRow } from "../../src/model/worker-row.js";
import { emptyWorkerRow } from "../../src/store/empty-worker-row.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import { lease as leaseRow } from "../../src/testing/contract/harness.js";

const owners = ["a", "b", "c"];
const keys = ["s0", "s1", "s2", "s3", "s4", "s5"];

/** What a planner of its own says of leases. */
class Planned implements PlannedLeases {
  readonly posted = new Map<string, string>();
  readonly cool = new Map<string, number>();

  target(leaseKey: string): string | undefined {
    return this.posted.get(leaseKey);
  }

  coolUntilMs(leaseKey: string): number | undefined {
    return this.cool.get(leaseKey);
  }

  keys(): Iterable<string> {
    return [...this.posted.keys(), ...this.cool.keys()];
  }
}

/** A planner's views, and its list of leases kept from look to look. */
class Scene {
  readonly leases = new LeaseView();
  readonly planned = new Planned();
  readonly fleet: FleetView;
  readonly rows: PlanRows;
  readonly #member: Member;
  /** The rows in the store, for scans. */
  readonly #stored = new Map<string, Lease>();

  constructor() {
    const clock = new VirtualTime().clock();
    this.fleet = new FleetView(new ForcedFences(clock, resolveProtocol().expiryMs));
    this.#member = { leases: this.leases, fleet: this.fleet } as unknown as Member;
    this.rows = new PlanRows(this.#member, this.planned);
    for (const owner of owners) this.fleet.applyWorker(this.worker(owner));
  }

  worker(workerId: string, more: Partial<WorkerRow> = {}): WorkerRow {
    return { ...emptyWorkerRow(workerId, 1), ...more };
  }

  write(leaseKey: string, more: Partial<Lease> = {}): Lease {
    const before = this.#stored.get(leaseKey);
    const lease = leaseRow(leaseKey, {
      checkpoint: position("1"),
      ...before,
      epoch: (before?.epoch ?? 0) + 1,
      ...more,
    });
    this.#stored.set(leaseKey, lease);
    return lease;
  }

  delete(leaseKey: string): void {
    this.#stored.delete(leaseKey);
  }

  /** @param other whether the rows come as other objects, as from a store over the network */
  scan(other = false, invalid: readonly string[] = []): void {
    const stored = [...this.#stored.values()].filter(({ leaseKey }) => !invalid.includes(leaseKey));
    this.leases.replace({
      leases: other ? stored.map((lease) => ({ ...lease })) : stored,
      invalid: invalid.map((leaseKey) => ({ leaseKey, problem: "broken" })),
      kclRows: [],
    });
  }

  /** The list made from nothing. */
  anew(): unknown {
    const rows = [...this.leases.all()].sort((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1));
    return {
      leases: rows.map((lease) => planLease(lease, this.#member, this.planned)),
      weights: Float64Array.from(rows, ({ throughputKBps }) => throughputKBps ?? NaN),
      inOrder: true,
    };
  }
}

type Step = (scene: Scene) => void;

const anyKey = fc.constantFrom(...keys);
const anyOwner = fc.constantFrom(...owners);
const anyLease = fc
  .record(
    {
      owner: anyOwner,
      throughputKBps: fc.constantFrom(5, 50, 500),
      parents: fc.subarray(keys, { maxLength: 2 }),
      checkpoint: fc.constantFrom(position("1"), shardEnd),
      marked: fc.constantFrom(false, false, true),
    },
    { requiredKeys: [] },
  )
  .map((more): Partial<Lease> => more);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  // Ours, and known at once.
  fc.tuple(anyKey, anyLease).map(([key, more]): Step => (scene) => {
    scene.leases.apply(scene.write(key, more));
  }),
  // Somebody else's: known by the next scan.
  fc.tuple(anyKey, anyLease).map(([key, more]): Step => (scene) => {
    scene.write(key, more);
  }),
  fc.tuple(fc.boolean(), fc.subarray(keys, { maxLength: 1 })).map(([other, invalid]): Step => (scene) => {
    scene.scan(other, invalid);
  }),
  anyKey.map((key): Step => (scene) => {
    scene.delete(key);
  }),
  anyKey.map((key): Step => (scene) => {
    scene.leases.remove(key);
  }),
  anyOwner.map((owner): Step => (scene) => {
    scene.fleet.applyWorker(scene.worker(owner, { fencedBy: "x", fenceKind: "observer" }));
  }),
  fc.subarray(owners).map((ids): Step => (scene) => {
    const workers = ids.map((id) => scene.worker(id));
    scene.fleet.apply({ workers, planner: undefined, meta: undefined }, { monoMs: 0, bootMs: 0, wallMs: 0 });
  }),
  fc.subarray(keys).map((strangers): Step => (scene) => {
    scene.leases.leaveToStrangers(new Set(strangers));
    // As a scan does.
    scene.scan();
  }),
  fc.tuple(anyKey, fc.option(anyOwner, { nil: undefined })).map(([key, target]): Step => ({ planned }) => {
    if (target === undefined) planned.posted.delete(key);
    else planned.posted.set(key, target);
  }),
  fc.tuple(anyKey, fc.option(fc.nat(9), { nil: undefined })).map(([key, until]): Step => ({ planned }) => {
    if (until === undefined) planned.cool.delete(key);
    else planned.cool.set(key, until);
  }),
);

describe("what the planner's plans see of the lease rows", () => {
  it("is after anything that may happen what it would be made from nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(anyStep, { minLength: 1, maxLength: 3 }), { maxLength: 25 }),
        (rounds) => {
          const scene = new Scene();
          for (const key of keys.slice(2)) scene.write(key, { owner: "a" });
          scene.scan();
          for (const steps of rounds) {
            for (const step of steps) step(scene);
            expect(scene.rows.look()).to.deep.equal(scene.anew());
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it("is the very same list while nothing changes, scans included", () => {
    const scene = new Scene();
    for (const key of keys) scene.write(key, { owner: "a", throughputKBps: 7 });
    scene.scan();
    const { leases, weights } = scene.rows.look();
    scene.scan();
    expect(scene.rows.look().leases).to.equal(leases);
    scene.scan(true);
    expect(scene.rows.look().leases).to.equal(leases);
    expect(scene.rows.look().weights).to.equal(weights);
    scene.leases.apply(scene.write("s3", { owner: "b" }));
    const other = scene.rows.look().leases;
    expect(other).to.not.equal(leases);
    expect(other.map((lease, i) => lease === leases[i])).to.deep.equal([true, true, true, false, true, true]);
  });

  it("is the same list with other weights where only those change, and leaves those of before as they were", () => {
    const scene = new Scene();
    const stored = keys.map((key) => scene.write(key, { owner: "a", throughputKBps: 7 }));
    scene.scan();
    const { leases, weights } = scene.rows.look();
    for (const { leaseKey, epoch } of stored) scene.write(leaseKey, { epoch, throughputKBps: 9 });
    scene.scan();
    const after = scene.rows.look();
    expect(after.leases).to.equal(leases);
    expect([...after.weights]).to.deep.equal(keys.map(() => 9));
    expect([...weights]).to.deep.equal(keys.map(() => 7));
  });

  it("takes a lease out that a scan shows worked to its end or marked, though whose it is and its epoch are as they were", () => {
    for (const end of [{ checkpoint: shardEnd }, { marked: true }]) {
      const scene = new Scene();
      const stored = keys.map((key) => scene.write(key, { owner: "a" }));
      scene.scan();
      scene.rows.look();
      scene.write("s3", { ...stored[3], ...end });
      scene.scan(true);
      const { leases } = scene.rows.look();
      expect(leases.filter(({ finished }) => finished).map(({ leaseKey }) => leaseKey)).to.deep.equal(["s3"]);
      expect(leases[3]?.epoch).to.equal(stored[3]?.epoch);
    }
  });

  it("lets a child wait as long as its parent is open or cannot be read, though its own row stays as it is", () => {
    const scene = new Scene();
    const waits = (): unknown =>
      scene.rows.look().leases.map(({ leaseKey, waiting }) => (waiting ? leaseKey : ""));
    scene.write("s0", { owner: "a" });
    scene.write("s1", { owner: "b", parents: ["s0"] });
    scene.write("s2", { owner: "b", parents: ["gone"] });
    scene.scan();
    expect(waits()).to.deep.equal(["", "s1", ""]);
    scene.leases.apply(scene.write("s0", { checkpoint: shardEnd }));
    expect(waits()).to.deep.equal(["", "", ""]);
    scene.scan(false, ["gone"]);
    expect(waits()).to.deep.equal(["", "", "s2"]);
    scene.scan();
    expect(waits()).to.deep.equal(["", "", ""]);
  });

  it("lets a lease wait whose row tells of a parent only by and by, though whose it is and its epoch are as they were", () => {
    const scene = new Scene();
    scene.write("s0", { owner: "a" });
    const { epoch } = scene.write("s1", { owner: "b" });
    scene.scan();
    expect(scene.rows.look().leases[1]?.waiting).to.equal(false);
    scene.write("s1", { epoch, parents: ["s0"] });
    scene.scan();
    expect(scene.rows.look().leases[1]?.waiting).to.equal(true);
  });

  it("forgets what a planner no longer says", () => {
    const scene = new Scene();
    scene.write("s0", { owner: "a" });
    scene.scan();
    scene.planned.posted.set("s0", "b");
    scene.planned.cool.set("s0", 5);
    expect(scene.rows.look().leases[0]).to.include({ inFlightTo: "b", coolUntilMs: 5 });
    scene.planned.posted.clear();
    scene.planned.cool.clear();
    expect(scene.rows.look().leases[0]).to.include({ inFlightTo: undefined, coolUntilMs: undefined });
  });

  it("looks at more leases of strangers than a call takes arguments", () => {
    const scene = new Scene();
    const many = Array.from({ length: 150_000 }, (_, i) => scene.write(`s${String(i)}`, { owner: "a" }));
    scene.scan();
    scene.fleet.applyWorker(scene.worker("a", { fencedBy: "x", fenceKind: "observer" }));
    const free = (): number => scene.rows.look().leases.filter((lease) => lease.free).length;
    expect(free()).to.equal(150_000);
    scene.leases.leaveToStrangers(new Set(many.slice(1).map(({ leaseKey }) => leaseKey)));
    expect(free()).to.equal(1);
  });

  it("names whoever some unfinished lease names as its owner", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const scene = new Scene();
        for (const step of steps) {
          step(scene);
          const named = scene.leases
            .all()
            .filter(({ marked, checkpoint }) => !marked && checkpoint !== shardEnd)
            .map(({ owner }) => owner);
          expect(new Set(scene.leases.owners())).to.deep.equal(new Set(named));
        }
      }),
      { numRuns: 200 },
    );
  });
});
