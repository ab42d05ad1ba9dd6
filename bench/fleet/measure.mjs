// The schedule: which scenario runs when, on which fleet, and what becomes of its runs.
import { nowMs } from "../../scripts/host-clock.mjs";
import { cost } from "./cost.mjs";
import { failover, stop, supervisedFailover } from "./failover.mjs";
import { pause } from "./pause.mjs";
import { reshard } from "./reshard.mjs";
import { resident } from "./resident.mjs";
import { Rig } from "./rig.mjs";
import { Standing } from "./standing.mjs";
import { startAndJoin, startStreams } from "./start-and-join.mjs";

/** Each may be asked for by itself. */
export const scenarioNames = [
  "start",
  "join",
  "worker",
  "planner",
  "stop",
  "pause",
  "reshard",
  "supervised",
  "cost",
  "idle",
  "resident",
];
const times = 5;
/** `cost` is measured for at least this long, `idle` for all of the other. */
const costMs = 180_000;
const idleMs = 600_000;
const partitionsMs = 120_000;
const streams = {
  ...Object.fromEntries(startStreams(times).map((name) => [name, 64])),
  standing: 64,
  even: 64,
  eight: 8,
  idle: 32,
};

/**
 * Runs the wanted scenarios, one after the other save those that are measured by counting, not by the clock.
 * @returns what the command prints: only what was measured; null where a scenario failed
 */
export async function measure(wanted, say) {
  const startedAt = nowMs();
  const wants = (...names) => names.some((name) => wanted.includes(name));
  const runs = Object.fromEntries(
    ["start", "worker", "planner", "supervised", "stop", "join", "reshard"]
      .filter((name) => wants(name))
      .map((name) => [name, []]),
  );
  const result = {};
  say("starting DynamoDB Local and kinesis-local");
  const rig = await Rig.start(streams);
  const context = { rig, say, runs, times };

  /** One scenario's failure is no other's: it has no figure, and the rest goes on. */
  async function attempt(name, scenario) {
    try {
      return await scenario();
    } catch (error) {
      say(`${name} FAILED: ${error.stack}`);
      return undefined;
    }
  }

  try {
    if (wants("start", "join")) {
      await attempt("start and join", () => startAndJoin(context, wanted));
    }
    if (wants("worker", "planner", "stop", "pause", "reshard", "supervised")) {
      await onStanding({ ...context, standing: new Standing(rig) });
    }
    if (wants("cost", "idle")) await attempt("cost and idle", evenLoad);
    else if (wants("resident")) await attempt("resident", residence);
  } finally {
    await rig.stop();
  }

  async function onStanding(with_) {
    const { standing } = with_;
    try {
      for (const kind of ["worker", "planner"]) {
        if (wants(kind)) await attempt(kind, () => failover(with_, kind));
      }
      if (wants("stop")) result.stopDuplicates = (await attempt("stop", () => stop(with_))) ?? null;
      if (wants("pause")) {
        const failed = { refusedWrites: null, refusedCheckpoints: null, lost: null, rejoined: null };
        result.pause = (await attempt("pause", () => pause(with_))) ?? failed;
      }
      if (wants("reshard")) await attempt("reshard", () => reshard(with_));
      if (wants("supervised")) await attempt("supervised", () => supervisedFailover(with_));
    } finally {
      await standing.close();
    }
  }

  /** One fleet shows both. What else is measured meanwhile is small, and no time is taken of it. */
  async function evenLoad() {
    const small = {};
    const large = await cost(context, {
      leases: 64,
      stream: "even",
      measureMs: wants("idle") ? idleMs : costMs,
      meanwhile: async () => {
        if (wants("resident")) await attempt("resident", residence);
        if (!wants("cost")) return;
        small.leases8 = await attempt("cost of 8 leases", () =>
          cost(context, { leases: 8, stream: "eight", measureMs: costMs }),
        );
        small.leases256 = await attempt("cost of 256 leases", () =>
          cost(context, { leases: 256, measureMs: partitionsMs }),
        );
      },
    });
    if (wants("idle")) result.idleMoves = large.moves;
    if (!wants("cost")) return;
    const all = { leases8: small.leases8, leases64: large, leases256: small.leases256 };
    for (const unit of ["wcuPerMinute", "rcuPerMinute"]) {
      result[unit] = Object.fromEntries(Object.entries(all).map(([name, it]) => [name, it?.[unit] ?? null]));
    }
  }

  async function residence() {
    result.residentBytes = await resident(context);
    result.residentRatio =
      Math.round((result.residentBytes.worker / result.residentBytes.loop) * 1_000) / 1_000;
  }

  const worst = (name) => {
    const ms = runs[name];
    return ms.length < (name === "reshard" ? 2 * times : times) ? null : Math.round(Math.max(...ms));
  };
  for (const name of ["start", "stop", "join", "reshard"]) if (wants(name)) result[`${name}Ms`] = worst(name);
  const kinds = ["worker", "planner", "supervised"].filter((kind) => wants(kind));
  if (kinds.length > 0) result.failoverMs = Object.fromEntries(kinds.map((kind) => [kind, worst(kind)]));
  if (wants("cost")) for (const unit of ["wcuPerMinute", "rcuPerMinute"]) result[unit] ??= failedCost();
  if (wants("idle")) result.idleMoves ??= null;
  if (wants("resident")) result.residentRatio ??= null;
  const rounded = Object.entries(runs).map(([name, ms]) => [name, ms.map((value) => Math.round(value))]);
  return { ...result, runs: Object.fromEntries(rounded), tookMs: Math.round(nowMs() - startedAt) };
}

const failedCost = () => ({ leases8: null, leases64: null, leases256: null });
