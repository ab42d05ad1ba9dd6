// What is promised of a fleet, and where the figures of it stand.
import { verdictsOf } from "../verdicts.mjs";

const seconds = (ms) => `${(ms / 1_000).toFixed(1)} s`;
const plain = (value) => String(value);
/** Null where one of the two was not measured: a missing figure divides like a nought. */
const shareOff = ({ leases8, leases64 }) =>
  leases8 === null || leases64 === null ? null : Math.round(Math.abs(leases64 / leases8 - 1) * 1_000) / 1_000;

/**
 * Every promise: how it is called, where its figure stands in the result, the limit, and the Java KCL's figure on the same
 * kind of rig (3.5.1, measured beforehand, not by this bench).
 */
const promises = [
  {
    name: "new application: worker start → first record",
    figure: ({ startMs }) => startMs,
    most: 3_000,
    show: seconds,
    kcl: "77–92 s",
  },
  {
    name: "SIGKILL of a worker, unsupervised → last of its shards read elsewhere",
    figure: ({ failoverMs }) => failoverMs?.worker,
    most: 18_000,
    show: seconds,
    kcl: "85 s (46–59 s at 8 shards)",
  },
  {
    name: "SIGKILL of the planner → the same",
    figure: ({ failoverMs }) => failoverMs?.planner,
    most: 18_000,
    show: seconds,
    kcl: "151–198 s (8 shards)",
  },
  {
    name: "SIGKILL of a supervised worker → the same",
    figure: ({ failoverMs }) => failoverMs?.supervised,
    most: 5_000,
    show: seconds,
    kcl: "–",
  },
  {
    name: "SIGTERM → all its shards read elsewhere",
    figure: ({ stopMs }) => stopMs,
    most: 3_000,
    show: seconds,
    kcl: "10–30 s (from its source)",
  },
  {
    name: "records handed over twice by a SIGTERM",
    figure: ({ stopDuplicates }) => stopDuplicates,
    most: 0,
    show: plain,
    kcl: "–",
  },
  {
    name: "join (1 → 2 workers) → fair share, every moved shard read by its new owner",
    figure: ({ joinMs }) => joinMs,
    most: 12_000,
    show: seconds,
    kcl: "144–173 s (8 shards)",
  },
  {
    name: "split or merge: parent's end → first read of the last child",
    figure: ({ reshardMs }) => reshardMs,
    most: 3_000,
    show: seconds,
    kcl: "–",
  },
  {
    name: "64 leases, 2 workers, no checkpoints: WCU a minute",
    figure: ({ wcuPerMinute }) => wcuPerMinute?.leases64,
    most: 60,
    show: plain,
    kcl: "1,167 (151 at 8 shards)",
  },
  {
    name: "the same: RCU a minute",
    figure: ({ rcuPerMinute }) => rcuPerMinute?.leases64,
    most: 150,
    show: plain,
    kcl: "21 (10.7 at 8 shards)",
  },
  {
    name: "WCU at 64 leases against 8 leases",
    figure: ({ wcuPerMinute }) => wcuPerMinute && shareOff(wcuPerMinute),
    most: 0.1,
    show: (share) => `${(share * 100).toFixed(1)} % off`,
    kcl: "673 % off",
  },
  {
    name: "changes of owner in 10 minutes of even load",
    figure: ({ idleMoves }) => idleMoves,
    most: 0,
    show: plain,
    kcl: "~10",
  },
  {
    name: "SIGSTOP for 20 s, SIGCONT: late writes refused",
    figure: ({ pause }) => pause?.refusedWrites,
    least: 1,
    show: plain,
    kcl: "–",
  },
  {
    name: "the same: records lost",
    figure: ({ pause }) => pause?.lost,
    most: 0,
    show: plain,
    kcl: "–",
  },
  {
    name: "the same: it rejoins as a new worker",
    figure: ({ pause }) => (typeof pause?.rejoined === "boolean" ? Number(pause.rejoined) : pause?.rejoined),
    least: 1,
    show: (rejoined) => (rejoined === 1 ? "yes" : "no"),
    kcl: "–",
  },
  {
    name: "resident memory of a worker with 32 idle shards against a bare SDK loop",
    figure: ({ residentRatio }) => residentRatio,
    most: 1.25,
    show: (ratio) => `${ratio.toFixed(2)} ×`,
    kcl: "(175–230 MB)",
  },
];

/** Every promise of which something was measured, with its figure. */
export const verdicts = (result) => verdictsOf(promises, result);
