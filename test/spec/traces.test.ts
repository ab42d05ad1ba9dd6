import { expect } from "chai";

interface Step {
  readonly is: string;
  readonly of: string;
  readonly epoch: number;
}
interface Trace {
  readonly lease: string;
  readonly workers: readonly string[];
  readonly fenced: readonly string[];
  readonly forced: readonly string[];
  readonly steps: readonly Step[];
}
/** What scripts/spec exports: plain JavaScript, which runs without a build. */
interface Projection {
  tracesIn: (events: readonly object[], how: { readonly most: number }) => readonly Trace[];
  corruptionsOf: (trace: Trace) => readonly { readonly what: string; readonly trace: Trace }[];
  runOf: (traces: readonly Trace[]) => { readonly spec: string };
}
interface Events {
  eventsOf: (lines: readonly object[]) => readonly object[];
}
interface Follow {
  moduleOf: (run: object) => string;
  configOf: (run: object) => string;
}

const load = async <T>(file: string) =>
  (await import(new URL(`../../scripts/spec/${file}`, import.meta.url).href)) as T;
const { tracesIn, corruptionsOf, runOf } = await load<Projection>("projections/tenure.mjs");
const { eventsOf } = await load<Events>("trace-events.mjs");
const { moduleOf, configOf } = await load<Follow>("follow.mjs");

const at = (workerId: string, type: string, more: object = {}): object => ({
  who: workerId.slice(0, 1),
  type,
  workerId,
  ...more,
});
const s1 = (epoch: number, more: object = {}): object => ({ leaseKey: "s1", epoch, ...more });

/** `a1` hands its lease to `b1`, which is killed and fenced by `c1`, which takes it. */
const lines = [
  at("a1", "worker-created"),
  at("b1", "worker-created"),
  at("c1", "worker-created"),
  at("d1", "worker-created"),
  at("a1", "tenure-began", s1(501, { how: "taken" })),
  at("a1", "tenure-began", { leaseKey: "s2", epoch: 700 }),
  at("a1", "batch-started", s1(501)),
  at("a1", "tenure-ended", s1(501, { reason: "handoff" })),
  at("b1", "tenure-began", s1(502, { how: "handoff" })),
  at("a1", "handed-off", s1(501, { target: "b1" })),
  at("b1", "tenure-raised", s1(502, { to: 503 })),
  { who: "b", type: "process-killed" },
  at("c1", "fenced", { victim: "b1" }),
  at("d1", "fence-seen", { victim: "b1", kind: "observer" }),
  at("c1", "tenure-began", s1(504, { how: "taken-from-fenced", from: "b1" })),
  at("c1", "draining"),
];

describe("a trace for the model of tenures", () => {
  const traceFrom = (of: readonly object[]): Trace => {
    const trace = tracesIn(of, { most: 5 }).find(({ lease }) => lease === "s1");
    if (trace === undefined) throw new Error("no trace of s1");
    return trace;
  };
  const traceOf = (): Trace => traceFrom(eventsOf(lines));

  it("is what was told of one lease and of the workers that held it", () => {
    const { workers, fenced, forced, steps } = traceOf();
    expect(workers).to.deep.equal(["w1", "w2", "w3"]);
    expect(fenced).to.deep.equal(["w2"]);
    expect(forced).to.deep.equal([]);
    expect(steps.map(({ is, of, epoch }) => `${is} ${of} ${epoch}`)).to.deep.equal([
      "created w1 0",
      "created w2 0",
      "created w3 0",
      "began w1 2",
      "given w1 2",
      "began w2 3",
      "landed w1 2",
      "began w2 4",
      "died w2 0",
      "fenced w2 0",
      "began w3 5",
    ]);
  });

  it("is chosen among the leases that changed hands, the busiest first", () => {
    const leasesIn = (of: readonly object[], most = 5): readonly string[] =>
      tracesIn(of, { most }).map(({ lease }) => lease);
    const events = eventsOf(lines);
    expect(leasesIn(events)).to.deep.equal(["s1"]);
    const more = [700, 701, 702, 703].map((epoch) => at("a1", "tenure-began", { leaseKey: "s3", epoch }));
    expect(leasesIn([...events, ...more])).to.deep.equal(["s3", "s1"]);
    expect(leasesIn([...events, ...more], 1)).to.deep.equal(["s3"]);
    const remade = [1, 2 ** 40].map((epoch) => at("a1", "tenure-began", { leaseKey: "s4", epoch }));
    expect(leasesIn([...events, ...remade])).to.deep.equal(["s1"]);
  });

  it("can be read from the journals of processes", () => {
    const journal = lines.map((line) => {
      const { who: source, ...event } = line as { who: string; type: string };
      return event.type === "process-killed" ? { at: 1, source, died: true } : { at: 1, source, event };
    });
    expect(traceFrom(eventsOf(journal))).to.deep.equal(traceOf());
  });

  it("says what a handoff is that was sent after its giver's belief had run out", () => {
    const late = [
      ...lines.slice(0, 5),
      at("a1", "tenure-ended", s1(501, { reason: "lease-lost" })),
      at("a1", "handed-off", s1(501, { target: "b1" })),
      at("b1", "tenure-began", s1(502, { how: "handoff" })),
    ];
    expect(
      traceFrom(late)
        .steps.slice(-4)
        .map(({ is }) => is),
    ).to.deep.equal(["lost", "late", "landed", "began"]);
  });

  it("is corrupted into what no fleet may tell", () => {
    const begins = corruptionsOf(traceOf()).map(({ what, trace }) => [
      what,
      ...trace.steps.filter(({ is }) => is === "began").map(({ of, epoch }) => `${of} ${epoch}`),
    ]);
    expect(begins).to.deep.equal([
      ["an epoch begun twice", "w1 2", "w2 2", "w2 4", "w3 5"],
      ["a begin beside a tenure", "w1 2", "w2 3"],
    ]);
  });

  it("is a sequence in TLA+, beside others, and a configuration with room for its epochs", () => {
    const trace = traceOf();
    const run = runOf([trace, { ...trace, workers: ["w4"], fenced: [], steps: trace.steps.slice(0, 3) }]);
    const module = moduleOf(run);
    for (const line of [
      "EXTENDS TenureTrace",
      '[is |-> "began", of |-> "w3", epoch |-> 5]>>, fenced |-> {"w2"}, forced |-> {}],',
      'RunWorkers == {"w1", "w2", "w3", "w4"}',
      "RunMaxEpoch == 7",
      "RunUnseen == 4",
    ]) {
      expect(module).to.include(line);
    }
    const config = configOf(run);
    for (const line of [
      "None = none",
      "Workers <- RunWorkers",
      "Traces <- RunTraces",
      "INVARIANTS S1 S2 S3",
    ]) {
      expect(config).to.include(line);
    }
  });
});
