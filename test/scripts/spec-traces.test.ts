import { readdirSync } from "node:fs";
import { expect } from "chai";

interface Trace {
  readonly steps: readonly { readonly is: string; readonly of: string }[];
}
interface Projection {
  tracesIn(events: readonly object[], how: object): readonly Trace[];
  corruptionsOf(trace: Trace): readonly { readonly what: string; readonly trace: Trace }[];
}

const at = (file: string) => new URL(`../../${file}`, import.meta.url).href;
const { projections } = (await import(at("scripts/spec/projections.mjs"))) as {
  projections: Record<string, Projection>;
};
const { valueOf } = (await import(at("scripts/spec/follow.mjs"))) as { valueOf(value: unknown): string };
const namesIn = (folder: string, ending: string) =>
  readdirSync(new URL(at(folder)))
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length))
    .sort();

const leaseKey = "a";
const who = { a: "1.1", b: "2.1" };
const of = (workerId: "a" | "b", type: string, more: object = {}) => ({
  t: 0,
  who: who[workerId],
  type,
  workerId,
  leaseKey,
  ...more,
});

/** When a silence of T is over. */
const later = (event: object, t = 13_000) => ({ ...event, t });

/** A lease that is worked, checkpointed, lost with its worker, and begun by another who has fenced it. */
const events = [
  of("a", "lease-created", { epoch: 100, checkpoint: "TRIM_HORIZON" }),
  of("a", "worker-created"),
  of("a", "beat-sent", { beat: 1, attempt: 1 }),
  of("a", "beat-acknowledged", { beat: 1, ageMs: 0 }),
  of("b", "worker-created"),
  of("a", "tenure-began", { epoch: 101, how: "taken", checkpoint: "TRIM_HORIZON" }),
  of("a", "batch-started", { epoch: 101, records: 1, last: "9" }),
  of("a", "batch-finished", { epoch: 101, records: 1 }),
  of("a", "checkpointed", { epoch: 101, checkpoint: "9" }),
  of("a", "batch-started", { epoch: 101, records: 1, last: "10" }),
  of("a", "batch-finished", { epoch: 101, records: 1 }),
  of("a", "checkpointed", { epoch: 101, checkpoint: "10" }),
  of("a", "tenure-ended", { epoch: 101, reason: "lease-lost" }),
  later(of("b", "fence-sent", { victim: "a", beat: 1, silentMs: 12_600 })),
  later(of("b", "fenced", { victim: "a", beat: 1 })),
  later(of("b", "fence-seen", { victim: "a", by: "b", kind: "observer" })),
  later(of("b", "history-archived", { epoch: 100, how: "created", endedBy: "taken" })),
  later(of("b", "tenure-began", { epoch: 102, how: "taken-from-fenced", from: "a", checkpoint: "10" })),
];
/** The other goes on under a raised epoch. */
const lived = [
  ...events,
  later(of("b", "history-archived", { epoch: 101, owner: "a", how: "taken", endedBy: "taken-from-fenced" })),
  later(of("b", "tenure-raised", { epoch: 102, to: 103 }), 14_000),
];
const times = { leaseDurationMs: 10_000, safetyMarginMs: 1_000, expiryMs: 12_500 };
const how = { most: 5, isExplicit: false, times };

describe("traces for the model", () => {
  it("are made for the very specs that have a trace spec", () => {
    expect(Object.keys(projections).map((name) => `${name}Trace`)).to.have.members(
      namesIn("spec/traces/", ".tla").filter((name) => name !== "Follow"),
    );
  });

  it("are written as values of TLA+", () => {
    expect(valueOf([{ is: "began", of: new Set(["w1"]), at: 3, so: true }])).to.equal(
      '<<[is |-> "began", of |-> {"w1"}, at |-> 3, so |-> TRUE]>>',
    );
    expect(() => valueOf(undefined)).to.throw("undefined has no shape in TLA+");
  });

  it("order places as numbers, not as texts", () => {
    const [trace] = projections.Checkpoint?.tracesIn(events, how) ?? [];
    expect(trace?.steps.map((step) => [step.is, step.of, (step as { to?: number }).to])).to.deep.equal([
      ["began", "w1", 0],
      ["finished", "w1", 1],
      ["checkpointed", "w1", 1],
      ["finished", "w1", 2],
      ["checkpointed", "w1", 2],
      ["ended", "w1", 0],
      ["began", "w2", 2],
    ]);
  });

  it("say nothing of a lease whose row was made twice", () => {
    const twice = [...events, of("a", "lease-created", { epoch: 2 ** 30, checkpoint: "TRIM_HORIZON" })];
    expect(projections.Checkpoint?.tracesIn(twice, how)).to.deep.equal([]);
  });

  it("are corrupted in two ways at least, each another trace", () => {
    for (const [name, { tracesIn, corruptionsOf }] of Object.entries(projections)) {
      const [trace] = tracesIn(lived, how);
      if (trace === undefined) throw new Error(`no trace for ${name}`);
      const corrupted = corruptionsOf(trace);
      expect(new Set(corrupted.map(({ what }) => what)).size, name).to.be.at.least(2);
      for (const { what, trace: wrong } of corrupted) {
        expect(wrong.steps, what).to.not.deep.equal(trace.steps);
      }
    }
  });
});
