import { expect } from "chai";
import type { MonitorOptions } from "../../../src/testing/monitor/monitor.js";
import { monitorRules, type MonitorRule } from "../../../src/testing/monitor/rules.js";
import * as t from "./traces.js";
import { up, violationsOf, type Step } from "./traces.js";

const a = "a.1";
const b = "b.1";
const c = "c.1";

/** Two workers, and a lease that the first holds at epoch 101 from 20 ms on. */
const held: readonly Step[] = [...up(a), ...up(b, 1), [12, t.made(a, 100)], [20, t.began(a, 101)]];
/** `b` beats, `a` does not: from 12,600 ms on `b` may fence it. */
const silent: readonly Step[] = [...held, ...t.beats(b, 13_000)];
/** And has: its lease is free. */
const dead: readonly Step[] = [
  ...silent,
  [13_001, t.fenceSent(b, a, 1)],
  [13_010, t.fenced(b, a, 1)],
  [13_011, t.saw(b, a, "observer", b)],
];
/** `a` has handed its lease to `b`, who has not begun. */
const given: readonly Step[] = [
  ...held,
  [30, t.drained(a, 101)],
  [40, t.ended(a, 101, "handoff")],
  [50, t.handedOff(a, 101, b)],
];
const fromA = { how: "handoff", from: a } as const;
const fromDead = { how: "taken-from-fenced", from: a } as const;

/** Each is legal but for its last step, which the rule refuses. */
const illegal: readonly (readonly [MonitorRule, string, readonly Step[], Partial<MonitorOptions>?])[] = [
  ["id-used-once", "a workerId that was used before", [...up(a), [20, t.over(a)], [30, t.created(a)]]],
  ["created-first", "a beat of a worker that was never created", [[1, t.beat(a, 1)]]],
  ["nothing-after-the-end", "a beat after left was sent", [...up(a), [20, t.leaving(a)], [30, t.beat(a, 2)]]],
  ["nothing-after-the-end", "a take after the end", [...up(a), [20, t.over(a)], [30, t.began(a, 101)]]],
  ["nothing-after-the-end", "a second end", [...up(a), [20, t.over(a)], [30, t.over(a)]]],
  ["drains-once", "a second draining", [...up(a), [20, t.draining(a)], [30, t.draining(a)]]],
  ["ends-without-tenures", "left sent while a tenure runs", [...held, [30, t.leaving(a)]]],
  ["ends-without-tenures", "a worker ended while a tenure runs", [...held, [30, t.over(a)]]],
  ["left-was-sent", "an end as left that was never sent", [...up(a), [20, t.over(a, "left")]]],
  ["beats-in-order", "a beat that skips one", [...up(a), [20, t.beat(a, 3)]]],
  [
    "beats-in-order",
    "a beat before the last was acknowledged",
    [...up(a), [20, t.beat(a, 2)], [30, t.beat(a, 3)]],
  ],
  ["beat-was-sent", "an acknowledgement of a beat never sent", [...up(a), [20, t.ack(a, 2)]]],
  ["beat-was-sent", "an acknowledgement counted twice", [...up(a), [20, t.ack(a, 1)]]],
  [
    "fenced-is-silent",
    "a beat acknowledged above the fence's",
    [
      ...dead,
      [13_020, t.lapsed(a)],
      [13_021, t.ended(a, 101, "lease-lost")],
      [13_022, t.beat(a, 2)],
      [13_023, t.ack(a, 2)],
    ],
  ],
  [
    "fenced-is-silent",
    "a beat that was sent after somebody had seen the fence, and counts",
    [...up(a), ...up(b, 1), [20, t.saw(b, a, "forced", "operator")], [30, t.beat(a, 2)], [40, t.ack(a, 2)]],
  ],
  [
    "fenced-is-silent",
    "a fence under a beat that was followed by others",
    [
      ...silent,
      [13_000.5, t.fenceSent(b, a, 1)],
      [13_001, t.lapsed(a)],
      [13_002, t.ended(a, 101, "lease-lost")],
      [13_003, t.beat(a, 2)],
      [13_004, t.ack(a, 2)],
      [13_010, t.fenced(b, a, 1)],
    ],
  ],
  [
    "fenced-is-silent",
    "a beat after an operator's fence was read",
    [...up(a), [20, t.forced(a)], [30, t.beat(a, 2)]],
  ],
  [
    "fenced-is-silent",
    "a take after an operator's fence was read",
    [...up(a), [20, t.forced(a)], [30, t.began(a, 101)]],
  ],
  [
    "fenced-is-silent",
    "a beat that counts after an operator's fence was read",
    [...up(a), [20, t.beat(a, 2)], [30, t.forced(a)], [40, t.ack(a, 2)]],
  ],
  [
    "lapse-of-a-belief",
    "a lapse without a belief",
    [
      [0, t.created(a)],
      [10, t.lapsed(a)],
    ],
  ],
  ["lapse-of-a-belief", "a belief that lapses twice", [...up(a), [9_500, t.lapsed(a)], [9_600, t.lapsed(a)]]],
  [
    "begins-within-belief",
    "a begin before the first acknowledgement",
    [
      [0, t.created(a)],
      [1, t.beat(a, 1)],
      [5, t.began(a, 101)],
    ],
  ],
  ["begins-within-belief", "a begin after the belief has run out", [...up(a), [9_100, t.began(a, 101)]]],
  [
    "begins-within-belief",
    "a begin on a belief counted from the response",
    // Sent at 4,000 and answered at 7,000: it lasts until 13,000, not 16,000.
    [...up(a), [4_000, t.beat(a, 2)], [7_000, t.ack(a, 2)], [13_500, t.began(a, 101)]],
  ],
  [
    "begins-within-belief",
    "a begin on a belief counted from the last attempt",
    [
      ...up(a),
      [4_000, t.beat(a, 2)],
      [7_000, t.beat(a, 2, 2)],
      [7_010, t.ack(a, 2)],
      [13_500, t.began(a, 101)],
    ],
  ],
  ["works-within-belief", "a batch without a tenure", [...up(a), [20, t.batch(a, 101, "5")]]],
  [
    "works-within-belief",
    "a batch after the tenure's end",
    [...held, [30, t.ended(a, 101, "stuck")], [40, t.batch(a, 101, "5")]],
  ],
  ["works-within-belief", "a batch after the belief has run out", [...held, [9_100, t.batch(a, 101, "5")]]],
  [
    "works-within-belief",
    "a batch under an epoch of before the raise",
    [...held, [30, t.raised(a, 101)], [40, t.batch(a, 101, "5")]],
  ],
  [
    "one-tenure-at-a-time",
    "a begin beside a tenure that runs",
    [...held, [30, t.began(a, 102, { how: "resumed", from: a })]],
  ],
  [
    "epoch-above-own",
    "an epoch given up by a release",
    [...up(a), [20, t.released(a, 101)], [30, t.began(a, 101)]],
  ],
  [
    "begin-names-its-source",
    "a take from nobody in particular",
    [...up(a), [20, t.began(a, 101, { how: "taken-from-fenced" })]],
  ],
  [
    "begin-names-its-source",
    "a take of a free lease that had an owner",
    [...up(a), [20, t.began(a, 101, { from: b })]],
  ],
  [
    "begin-names-its-source",
    "a handoff to oneself",
    [...up(a), [20, t.began(a, 101, { how: "handoff", from: a })]],
  ],
  [
    "begin-names-its-source",
    "a resume of another's tenure",
    [...up(a), [20, t.began(a, 101, { how: "resumed", from: b })]],
  ],
  [
    "lapsed-tenure-ends",
    "a tenure that outlives its belief, because beats pass again",
    [...held, [9_500, t.beat(a, 2)], [9_600, t.ack(a, 2)]],
  ],
  [
    "ends-once",
    "a second end of a tenure",
    [...held, [30, t.ended(a, 101, "stuck")], [40, t.ended(a, 101, "stuck")]],
  ],
  ["ends-once", "the end of another epoch", [...held, [30, t.ended(a, 100, "stuck")]]],
  ["ends-once", "a raise after the end", [...held, [30, t.ended(a, 101, "stuck")], [40, t.raised(a, 101)]]],
  ["ended-before-given", "a release while the tenure runs", [...held, [30, t.released(a, 101)]]],
  [
    "ended-before-given",
    "a handoff while the tenure runs",
    [...held, [30, t.drained(a, 101)], [40, t.handedOff(a, 101, b)]],
  ],
  [
    "ended-before-given",
    "a handoff of a tenure that was lost before it had come to rest",
    [...held, [40, t.ended(a, 101, "lease-lost")], [50, t.handedOff(a, 101, b)]],
  ],
  ["ended-before-given", "a handoff told twice", [...given, [60, t.handedOff(a, 101, b)]]],
  ["drained-before-handoff", "a handoff sent before the drain", [...held, [30, t.ended(a, 101, "handoff")]]],
  [
    "drained-before-handoff",
    "a drain that leaves a batch under way",
    [...held, [30, t.batch(a, 101, "5")], [40, t.drained(a, 101)]],
  ],
  [
    "drained-before-handoff",
    "a stop's handoff without a drain",
    [...held, [30, t.ended(a, 101, "stop")], [40, t.handedOff(a, 101, b, "stop")]],
  ],
  [
    "no-work-after-drain",
    "a batch after the drain",
    [...held, [30, t.drained(a, 101)], [40, t.batch(a, 101, "5")]],
  ],
  [
    "drained-is-checkpointed",
    "a drain without a checkpoint of what was worked",
    [...held, [30, t.batch(a, 101, "5", "9")], [40, t.done(a, 101)], [50, t.drained(a, 101, "TRIM_HORIZON")]],
  ],
  [
    "one-batch-at-a-time",
    "a second batch of a partition",
    [...held, [30, t.batch(a, 101, "5")], [40, t.batch(a, 101, "6")]],
  ],
  [
    "one-batch-at-a-time",
    "a batch while that of the process's worker before still runs",
    [
      ...held,
      [30, t.batch(a, 101, "5")],
      [40, t.ended(a, 101, "fenced")],
      [50, t.over(a)],
      ...up("a.2", 60),
      [80, t.began("a.2", 104)],
      [90, t.batch("a.2", 104, "5")],
    ],
    { isWhole: false },
  ],
  [
    "work-beyond-checkpoint",
    "a record handed over that is checkpointed",
    [
      ...held,
      [30, t.batch(a, 101, "5", "9")],
      [40, t.done(a, 101)],
      [50, t.checkpointed(a, 101, "9")],
      [60, t.batch(a, 101, "9", "10")],
    ],
  ],
  [
    "checkpoint-by-its-tenure",
    "a checkpoint without a tenure",
    [...up(a), [20, t.checkpointed(a, 101, "5")]],
  ],
  [
    "checkpoint-by-its-tenure",
    "a checkpoint under an epoch of before the raise",
    [...held, [30, t.raised(a, 101)], [40, t.checkpointed(a, 101, "5")]],
  ],
  [
    "checkpoint-goes-forward",
    "a checkpoint that goes back",
    [...held, [30, t.checkpointed(a, 101, "10")], [40, t.checkpointed(a, 101, "9")]],
  ],
  [
    "checkpoint-goes-forward",
    "a checkpoint beyond the end",
    [...held, [30, t.checkpointed(a, 101, "SHARD_END")], [40, t.checkpointed(a, 101, "11")]],
  ],
  [
    "loss-told-once",
    "a loss told twice",
    [
      ...held,
      [30, t.ended(a, 101, "stuck")],
      [40, t.lossTold(a, 101, "stuck")],
      [50, t.lossTold(a, 101, "stuck")],
    ],
  ],
  ["loss-told-once", "a loss told while the tenure runs", [...held, [30, t.lossTold(a, 101, "lease-lost")]]],
  ["loss-told-once", "a planned move told as a loss", [...given, [60, t.lossTold(a, 101, "handoff")]]],
  [
    "stuck-not-adopted",
    "a lease whose old, stuck processor runs in the process",
    [
      ...held,
      [30, t.stuck(a, 101)],
      [40, t.ended(a, 101, "stuck")],
      [50, t.released(a, 101, "stuck")],
      [60, t.archived(a, 100)],
      [70, t.archived(a, 101)],
      [80, t.began(a, 103)],
    ],
  ],
  [
    "directive-at-its-epoch",
    "a directive of an older epoch that was obeyed",
    [...given, [60, t.answered(a, 99, "handed-off")]],
  ],
  [
    "epochs-increase",
    "a begin below another worker's",
    [...up(a), ...up(b, 1), [20, t.began(a, 105)], [30, t.ended(a, 105, "stop")], [40, t.began(b, 103)]],
  ],
  ["epochs-increase", "a raise by two", [...held, [30, t.raised(a, 101, 103)]]],
  [
    "epoch-used-once",
    "an epoch that was handed to another",
    [...given, ...up(c, 60), [80, t.began(c, 102, fromA)]],
  ],
  [
    "epoch-used-once",
    "an epoch that was released to nobody",
    [...held, [30, t.ended(a, 101, "stop")], [40, t.released(a, 101)], [50, t.began(b, 102)]],
  ],
  [
    "one-believer",
    "a begin while another believes",
    [...held, [30, t.archived(b, 100)], [40, t.began(b, 103)]],
  ],
  [
    "taken-only-when-given-up",
    "a take of an ownerless lease whose owner never gave it up",
    [...silent, [13_001, t.archived(b, 100)], [13_002, t.archived(b, 101)], [13_010, t.began(b, 103)]],
  ],
  [
    "taken-only-when-fenced",
    "a take without a fence",
    [...silent, [13_010, t.archived(b, 100)], [13_020, t.began(b, 102, fromDead)]],
  ],
  [
    "taken-only-when-fenced",
    "a take at a fence that only another has seen",
    [...dead, ...up(c, 13_100), [13_120, t.archived(c, 100)], [13_130, t.began(c, 102, fromDead)]],
  ],
  [
    "forced-frees-after-t",
    "a take right after an operator's fence",
    [
      ...up(a),
      ...up(b, 1),
      [12, t.made(a, 100)],
      [20, t.began(a, 101)],
      [30, t.saw(b, a, "forced", "operator")],
      [40, t.forced(a)],
      ...t.beats(b, 12_000),
      [9_500, t.lapsed(a)],
      [9_500, t.ended(a, 101, "fenced")],
      [11_900, t.archived(b, 100)],
      [12_000, t.began(b, 102, fromDead)],
    ],
  ],
  [
    "handed-over-by-its-owner",
    "a handoff that its giver never sent",
    [...held, [30, t.ended(a, 101, "stuck")], [40, t.archived(b, 100)], [50, t.began(b, 102, fromA)]],
  ],
  [
    "handed-over-by-its-owner",
    "a handoff by somebody who never held it",
    [...up(a), ...up(b, 1), [20, t.began(b, 102, fromA)]],
  ],
  [
    "handed-over-by-its-owner",
    "a handoff to the giver",
    [...held, [30, t.drained(a, 101)], [40, t.ended(a, 101, "handoff")], [50, t.handedOff(a, 101, a)]],
  ],
  [
    "deposed-writes-nothing",
    "a checkpoint of a deposed owner beyond where its successor began",
    [
      ...dead,
      [13_020, t.archived(b, 100)],
      [13_030, t.began(b, 102, fromDead)],
      [13_040, t.checkpointed(a, 101, "9")],
    ],
  ],
  [
    "successor-starts-from-checkpoint",
    "a successor that starts behind the last checkpoint",
    [
      ...held,
      [25, t.checkpointed(a, 101, "9")],
      [30, t.drained(a, 101, "9")],
      [40, t.ended(a, 101, "handoff")],
      [50, t.archived(a, 100)],
      [60, t.began(b, 102, { ...fromA, checkpoint: "8" })],
    ],
  ],
  [
    "parents-first",
    "a child begun while its parent is worked",
    [...held, [30, t.batch(a, 101, "5")], [40, t.began(b, 501, { key: "s2", parents: ["s1"] })]],
  ],
  [
    "parents-first",
    "a child begun before its parent ever was",
    [...up(a), [20, t.made(a, 100)], [30, t.began(a, 501, { key: "s2", parents: ["s1"] })]],
  ],
  [
    "parents-first",
    "work on a parent after its child began",
    [...held, [30, t.began(b, 501, { key: "s2", parents: ["s1"] })], [40, t.batch(a, 101, "5")]],
  ],
  [
    "parents-first",
    "a parent taken to be worked after its child began",
    [
      ...given,
      [60, t.began(b, 501, { key: "s2", parents: ["s1"] })],
      [65, t.archived(a, 100)],
      [70, t.began(b, 102, fromA)],
    ],
  ],
  [
    "history-before-change",
    "a begin before the history has its entry",
    [...given, [60, t.began(b, 102, fromA)]],
  ],
  [
    "history-in-order",
    "an entry that leaves a gap in the history",
    [...held, [30, t.archived(a, 100)], [40, t.archived(a, 102)]],
  ],
  ["marked-only-when-free", "a deletion mark under a live owner", [...held, [30, t.marked(b, 102)]]],
  ["marked-not-taken", "a take of a marked row", [...up(a), [20, t.marked(a, 101)], [30, t.began(a, 102)]]],
  [
    "fence-after-t",
    "a fence one millisecond before T",
    [...held, ...t.beats(b, 12_400), [12_437, t.fenceSent(b, a, 1)]],
  ],
  [
    "fence-after-t",
    "a fence by somebody who beats for less than T",
    [
      ...held,
      ...up(c, 10_000),
      [12_000, t.beat(c, 2)],
      [12_010, t.ack(c, 2)],
      [13_000, t.fenceSent(c, a, 1)],
    ],
  ],
  [
    "fence-after-t",
    "a fence that counts the time of an outage",
    [
      ...held,
      [2_000, t.beat(b, 2)],
      [8_000, t.beat(b, 2, 2)],
      [8_010, t.ack(b, 2)],
      [12_900, t.beat(b, 3)],
      [12_910, t.ack(b, 3)],
      [13_000, t.fenceSent(b, a, 1)],
    ],
  ],
  [
    "fence-not-while-blind",
    "a fence during an outage",
    [...held, ...t.beats(b, 13_000), [17_100, t.fenceSent(b, a, 1)]],
  ],
  ["fence-has-an-author", "a fence that nobody sent", [...silent, [13_010, t.fenced(b, a, 1)]]],
  [
    "fence-has-an-author",
    "a fence seen before anybody sent it",
    [...silent, [13_010, t.saw(b, a, "observer", b)]],
  ],
  ["fence-has-an-author", "a leaving seen that was never sent", [...held, [30, t.saw(b, a, "left", a)]]],
  [
    "fenced-once",
    "a second fence of the same worker",
    [
      ...up(a),
      ...up(b, 1),
      ...up(c, 2),
      ...t.beats(b, 13_000),
      ...t.beats(c, 13_000),
      [13_001, t.fenceSent(b, a, 1)],
      [13_002, t.fenceSent(c, a, 1)],
      [13_010, t.fenced(b, a, 1)],
      [13_011, t.fenced(c, a, 1)],
    ],
  ],
  ["collected-only-fenced", "a row collected that nobody fenced", [...held, [30, t.collected(b, a)]]],
  [
    "planner-epoch-of-one",
    "an epoch with two planners",
    [
      ...up(a),
      ...up(b, 1),
      [20, t.claimed(a)],
      [21, t.claimed(b)],
      [30, t.elected(a, 1)],
      [40, t.elected(b, 1)],
    ],
  ],
  [
    "planner-epochs-increase",
    "a planner elected twice under one epoch",
    [...up(a), [20, t.claimed(a)], [30, t.elected(a, 1)], [40, t.elected(a, 1)]],
  ],
  ["planner-epochs-increase", "a planner deposed that never was", [...up(a), [20, t.deposed(a, 1)]]],
  ["elected-by-claim", "a planner that nobody claimed the lease for", [...up(a), [20, t.elected(a, 1)]]],
  [
    "deposed-stands-not",
    "a deposed planner that stands again before T",
    [...up(a), [20, t.claimed(a)], [30, t.elected(a, 1)], [4_000, t.deposed(a, 1)], [8_000, t.claimed(a)]],
  ],
  [
    "tick-after-round",
    "a tick without a round",
    [
      ...up(a),
      [20, t.claimed(a)],
      [30, t.elected(a, 1)],
      [40, { type: "beat-sent", workerId: a, beat: 2, attempt: 1, planner: { epoch: 1, tick: 1 } }],
    ],
  ],
  [
    "tick-after-round",
    "a tick that skips one",
    [...up(a), [20, t.claimed(a)], [30, t.elected(a, 1)], [40, t.planned(a, 1, 2)]],
  ],
  [
    "directive-under-epoch",
    "a round of a deposed planner",
    [...up(a), [20, t.claimed(a)], [30, t.elected(a, 1)], [40, t.deposed(a, 1)], [50, t.planned(a, 1, 1)]],
  ],
  [
    "directive-under-epoch",
    "a directive under another's epoch",
    [...up(a), [20, t.claimed(a)], [30, t.elected(a, 1)], [40, t.posted(a, 2)]],
  ],
  [
    "directive-under-epoch",
    "a directive under an epoch of its own from which it was deposed long ago",
    [
      ...up(a),
      [20, t.claimed(a)],
      [30, t.elected(a, 1)],
      [40, t.deposed(a, 1)],
      ...t.beats(a, 14_000),
      [14_020, t.claimed(a)],
      [14_030, t.elected(a, 3)],
      [14_040, t.posted(a, 1)],
    ],
  ],
];

describe("the monitor refuses", () => {
  for (const [rule, what, steps, changes] of illegal) {
    it(`${what} (${rule})`, () => {
      const violations = violationsOf(steps, changes);
      expect(violations.map((violation) => violation.rule)).to.include(rule);
      // Whatever else the last step breaks: all before it is allowed.
      const events = steps.filter(([, event]) => typeof event !== "string").length;
      for (const { index, rule: other, expected } of violations)
        expect(index, `${other}: ${expected}`).to.equal(events - 1);
    });
  }

  it("something by each of its rules", () => {
    expect([...new Set(illegal.map(([rule]) => rule))].sort()).to.deep.equal([...monitorRules].sort());
  });
});
