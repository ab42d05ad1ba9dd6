import { expect } from "chai";
import fc from "fast-check";
import { LeaseView } from "../../src/fleet/lease-view.js";
import type { Lease } from "../../src/model/lease.js";
import { position, shardEnd } from "../../src/model/position.js";
import { lease as leaseRow } from "../../src/testing/contract/harness.js";

const keys = ["s0", "s1", "s2", "s3", "s4"];

function row(leaseKey: string, epoch: number, more: Partial<Lease> = {}): Lease {
  return leaseRow(leaseKey, { epoch, checkpoint: position("1"), ...more });
}

function scanned(view: LeaseView, leases: readonly Lease[]): void {
  view.replace({ leases, invalid: [], kclRows: [] });
}

/** A view, and beside it what it should know, kept the plain way. */
class Scene {
  readonly view = new LeaseView();
  #known = new Map<string, Lease>();

  apply(lease: Lease): void {
    this.view.apply(lease);
    this.#learn(this.#known, lease);
  }

  remove(leaseKey: string): void {
    this.view.remove(leaseKey);
    this.#known.delete(leaseKey);
  }

  scan(leases: readonly Lease[]): void {
    scanned(this.view, leases);
    const known = new Map<string, Lease>();
    for (const lease of leases) this.#learn(known, lease);
    this.#known = known;
  }

  #learn(into: Map<string, Lease>, lease: Lease): void {
    const before = this.#known.get(lease.leaseKey);
    into.set(lease.leaseKey, before !== undefined && before.epoch > lease.epoch ? before : lease);
  }

  check(): void {
    const rows = [...this.#known.values()];
    expect([...this.view.all()].sort((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1))).to.deep.equal(
      rows.sort((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1)),
    );
    for (const key of keys) expect(this.view.get(key), key).to.equal(this.#known.get(key));
    const open = rows.filter(({ marked, checkpoint }) => !marked && checkpoint !== shardEnd);
    expect(new Set(this.view.owners())).to.deep.equal(new Set(open.map(({ owner }) => owner)));
  }
}

type Step = (scene: Scene) => void;

const anyRow = fc
  .tuple(
    fc.constantFrom(...keys),
    fc.nat(5),
    fc.record(
      {
        owner: fc.constantFrom("a", "b"),
        checkpoint: fc.constantFrom(position("1"), shardEnd),
        marked: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([key, epoch, more]): Lease => row(key, epoch, more));
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  anyRow.map((lease): Step => (scene) => {
    scene.apply(lease);
  }),
  fc.constantFrom(...keys).map((key): Step => (scene) => {
    scene.remove(key);
  }),
  // In any order, and often of the keys that the last one brought.
  fc.uniqueArray(anyRow, { selector: ({ leaseKey }) => leaseKey }).map((leases): Step => (scene) => {
    scene.scan(leases);
  }),
  fc.array(anyRow, { minLength: 8 }).map((leases): Step => (scene) => {
    scene.scan(keys.flatMap((key) => leases.find(({ leaseKey }) => leaseKey === key) ?? row(key, 3)));
  }),
);

describe("the lease rows that a worker knows", () => {
  it("are after any writes and scans the newest seen of each, and whoever open ones name owns something", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        const scene = new Scene();
        for (const step of steps) {
          step(scene);
          scene.check();
        }
      }),
      { numRuns: 500 },
    );
  });

  it("are the very same list while scans bring the very same rows", () => {
    const view = new LeaseView();
    const rows = keys.map((key) => row(key, 1));
    scanned(view, rows);
    const all = view.all();
    scanned(view, [...rows]);
    expect(view.all()).to.equal(all);
  });

  it("stand as they were in a list given away before", () => {
    const view = new LeaseView();
    const rows = keys.map((key) => row(key, 1));
    scanned(view, rows);
    const all = view.all();
    view.apply(row("s0", 2));
    view.remove("s1");
    scanned(view, [row("s2", 3)]);
    expect(all).to.deep.equal(rows);
    expect(view.all()).to.deep.equal([row("s2", 3)]);
  });
});
