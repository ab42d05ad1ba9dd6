import { expect } from "chai";
import { checkTrace } from "../../../src/testing/monitor/check-trace.js";
import * as t from "./traces.js";
import { options, up, violationsOf, type Step } from "./traces.js";

const a = "a.1";
const b = "b.1";
const held: readonly Step[] = [...up(a), ...up(b, 1), [12, t.made(a, 100)], [20, t.began(a, 101)]];

const legal: readonly (readonly [string, readonly Step[]])[] = [
  [
    "work, a drain, a handoff whose target begins before the giver has its answer",
    [
      ...held,
      [30, t.batch(a, 101, "5", "9")],
      [40, t.done(a, 101)],
      [50, t.checkpointed(a, 101, "9")],
      [55, t.drained(a, 101, "9")],
      [58, t.archived(a, 100)],
      [60, t.ended(a, 101, "handoff")],
      [70, t.began(b, 102, { how: "handoff", from: a, checkpoint: "9" })],
      [80, t.handedOff(a, 101, b)],
      [81, t.answered(a, 101, "handed-off")],
    ],
  ],
  [
    "a directive told of late by a planner that was deposed and elected again meanwhile",
    [
      ...held,
      [30, t.claimed(a)],
      [40, t.elected(a, 1)],
      [50, t.deposed(a, 1)],
      [60, t.claimed(b, a)],
      [70, t.elected(a, 3)],
      [80, t.posted(a, 1)],
    ],
  ],
  [
    "a directive told of later still by one whose process stood still meanwhile",
    [
      ...held,
      [30, t.claimed(a)],
      [40, t.elected(a, 1)],
      [50, t.deposed(a, 1)],
      [40_000, t.lapsed(a)],
      [40_000, t.ended(a, 101, "lease-lost")],
      [40_000, t.posted(a, 1)],
    ],
  ],
  [
    "a handoff whose giver's belief ran out after the drain, while the history was written",
    [
      ...held,
      [30, t.drained(a, 101)],
      [9_000, t.lapsed(a)],
      [9_000, t.ended(a, 101, "lease-lost")],
      [9_010, t.archived(a, 100)],
      [9_020, t.handedOff(a, 101, b)],
    ],
  ],
  [
    "a directive obeyed although a checkpoint of unknown outcome raised the epoch meanwhile",
    [
      ...held,
      [25, t.archived(a, 100)],
      [30, t.raised(a, 101)],
      [40, t.drained(a, 102)],
      [45, t.archived(a, 101)],
      [50, t.ended(a, 102, "handoff")],
      [60, t.handedOff(a, 102, b)],
      [61, t.answered(a, 101, "handed-off")],
    ],
  ],
  [
    "a processor told to break off whose lease is resumed before its time to do so is over",
    [
      ...held,
      [30, t.batch(a, 101, "5")],
      [500, t.beat(a, 2)],
      [8_900, t.stuck(a, 101)],
      [8_950, t.lapsed(a)],
      [8_950, t.ended(a, 101, "lease-lost")],
      [8_960, t.ack(a, 2)],
      [8_965, t.archived(a, 100)],
      [8_970, t.began(a, 102, { how: "resumed", from: a })],
    ],
  ],
  [
    "a silent worker fenced under its last beat, and its late words of before",
    [
      ...held,
      ...t.beats(b, 13_000),
      [13_000, t.fenceSent(b, a, 1)],
      [13_010, t.fenced(b, a, 1)],
      [13_010, t.saw(b, a, "observer", b)],
      [13_020, t.archived(b, 100)],
      [13_030, t.began(b, 102, { how: "taken-from-fenced", from: a, checkpoint: "9" })],
      // Written before the fence, told by a process that stood still.
      [14_000, t.lapsed(a)],
      [14_000, t.ended(a, 101, "lease-lost")],
      [14_001, t.checkpointed(a, 101, "9")],
      [14_002, t.lossTold(a, 101, "lease-lost")],
      [14_010, t.beat(a, 2)],
      [14_020, t.over(a)],
    ],
  ],
  [
    "a belief that lapses and comes back, and a lease resumed under a raised epoch",
    [
      ...held,
      [30, t.batch(a, 101, "5")],
      [500, t.beat(a, 2)],
      [8_900, t.lapsed(a)],
      [8_900, t.ended(a, 101, "lease-lost")],
      [8_901, t.lossTold(a, 101, "lease-lost")],
      [8_950, t.ack(a, 2)],
      [8_960, t.archived(a, 100)],
      [8_970, t.began(a, 102, { how: "resumed", from: a })],
      [8_980, t.returned(a, 101)],
      [8_990, t.batch(a, 102, "5")],
    ],
  ],
  [
    "a checkpoint of unknown outcome, settled by a raise",
    [
      ...held,
      [30, t.archived(a, 100)],
      [40, t.raised(a, 101)],
      [50, t.checkpointed(a, 102, "9")],
      [60, t.batch(a, 102, "10")],
    ],
  ],
  [
    "a clean stop, and a taker that sees it",
    [
      ...held,
      [30, t.draining(a)],
      [40, t.ended(a, 101, "stop")],
      [45, t.archived(a, 100)],
      [50, t.released(a, 101)],
      [60, t.leaving(a)],
      [70, t.over(a, "left")],
      [80, t.saw(b, a, "left", a)],
      [85, t.archived(b, 101)],
      [90, t.began(b, 103)],
    ],
  ],
  [
    "an operator's fence: belief runs out, and T after its first sight the lease is free",
    [
      ...held,
      [30, t.saw(b, a, "forced", "operator")],
      [40, t.forced(a)],
      [9_000, t.lapsed(a)],
      [9_000, t.ended(a, 101, "fenced")],
      ...t.beats(b, 13_000),
      [13_000, t.archived(b, 100)],
      [13_010, t.began(b, 102, { how: "taken-from-fenced", from: a })],
    ],
  ],
  [
    "a killed process: nobody believes there any more",
    [
      ...held,
      [30, "a"],
      [40, t.saw(b, a, "parent", "p")],
      [50, t.archived(b, 100)],
      [60, t.began(b, 102, { how: "taken-from-fenced", from: a })],
    ],
  ],
  [
    "a stuck processor whose lease comes back once it has returned",
    [
      ...held,
      [30, t.batch(a, 101, "5")],
      [40, t.stuck(a, 101)],
      [50, t.ended(a, 101, "stuck")],
      [60, t.archived(a, 100)],
      [70, t.released(a, 101, "stuck")],
      [80, t.stuckReturned(a)],
      [81, t.returned(a, 101)],
      [85, t.archived(a, 101)],
      [90, t.began(a, 103)],
      [95, t.batch(a, 103, "5")],
    ],
  ],
  [
    "a child begun when its parent is finished, though its owner has not heard so",
    [
      ...held,
      [30, t.batch(a, 101, "5")],
      [40, t.done(a, 101)],
      [50, t.began(b, 501, { key: "s2", parents: ["s1"] })],
      [60, t.checkpointed(a, 101, "SHARD_END")],
    ],
  ],
  [
    "a deposed planner that stands again after T",
    [
      ...up(a),
      [20, t.claimed(a)],
      [30, t.elected(a, 1)],
      [40, t.planned(a, 1, 1)],
      [50, t.posted(a, 1)],
      [60, t.deposed(a, 1)],
      [12_600, t.claimed(a)],
      [12_610, t.elected(a, 3)],
    ],
  ],
  [
    "a lease whose table was deleted and made again",
    [
      ...held,
      [30, t.checkpointed(a, 101, "9")],
      [40, t.ended(a, 101, "store-lost")],
      [50, t.over(a, "table-missing")],
      ...up("a.2", 60),
      [80, t.began("a.2", 2 ** 40)],
      [81, t.made("a.2", 2 ** 40 - 1)],
    ],
  ],
];

const lines = (steps: readonly Step[]): string[] =>
  steps.map(([at, what]) =>
    JSON.stringify(
      typeof what === "string"
        ? { at, source: what, died: true }
        : { at, source: what.workerId.split(".")[0], event: what },
    ),
  );

describe("the monitor accepts", () => {
  for (const [what, steps] of legal) {
    it(what, () => {
      expect(violationsOf(steps).map(({ rule, expected }) => `${rule}: ${expected}`)).to.deep.equal([]);
    });
  }

  it("one worker's own events, without those of the others", () => {
    const alone = legal[0]![1].filter(([, what]) => typeof what !== "string" && what.workerId === b);
    expect(violationsOf(alone, { isWhole: false })).to.deep.equal([]);
    expect(violationsOf(alone).map(({ rule }) => rule)).to.include("handed-over-by-its-owner");
  });

  it("a tenure whose begin is told after its row was deleted by hand, beside one of the row made again", () => {
    const before: readonly Step[] = [...held, [30, t.ended(a, 101, "lease-lost")]];
    const of = (resumedAt: number): readonly Step[] => [
      [45, t.made(b, 2 ** 20)],
      [50, t.began(a, resumedAt, { how: "resumed", from: a })],
      [55, t.batch(a, resumedAt, "5")],
      [60, t.began(b, 2 ** 20 + 1)],
    ];
    expect(violationsOf(before, {}, { epoch: 102, steps: of(102) })).to.deep.equal([]);
    const rules = violationsOf(before, {}, { epoch: 101, steps: of(102) }).map(({ rule }) => rule);
    expect(rules, "begun of a row that stands").to.include("one-believer");
  });

  it("may end a drain behind its work where processors checkpoint by themselves: theirs may be refused", () => {
    const behind: readonly Step[] = [
      ...held,
      [30, t.batch(a, 101, "5", "9")],
      [40, t.done(a, 101)],
      [50, t.drained(a, 101, "TRIM_HORIZON")],
    ];
    expect(violationsOf(behind, { automaticCheckpoints: false })).to.deep.equal([]);
    expect(violationsOf(behind).map(({ rule }) => rule)).to.deep.equal(["drained-is-checkpointed"]);
  });
});

describe("a written trace", () => {
  const [, steps] = legal[0]!;

  it("is checked in the order of its times, whatever file each line came from", () => {
    const files = lines(steps).sort();
    expect(checkTrace(files, options)).to.deep.equal({ events: steps.length, sources: 2, violations: [] });
  });

  it("is refused at the event that is not allowed", () => {
    const { violations } = checkTrace([...lines(steps), ...lines([[90, t.began(a, 103)]]), ""], options);
    expect(violations.map(({ rule, index, source }) => ({ rule, index, source }))).to.deep.include({
      rule: "one-believer",
      index: steps.length,
      source: "a",
    });
  });

  it("knows of deaths", () => {
    const [, killed] = legal.find(([what]) => what.startsWith("a killed process"))!;
    expect(checkTrace(lines(killed), options).violations).to.deep.equal([]);
  });

  for (const [what, line] of [
    ["torn", '{"at": 5, "sour'],
    ["without a time", '{"source": "a", "died": true}'],
    ["without an event", '{"at": 5, "source": "a"}'],
    ["of an event without a worker", '{"at": 5, "source": "a", "event": {"type": "fenced"}}'],
  ] as const) {
    it(`names a line that is ${what}`, () => {
      expect(() => checkTrace([...lines(steps), line], options)).to.throw(
        `line ${steps.length + 1} of the trace`,
      );
    });
  }
});
