import type { Lease } from "../../src/model/lease.js";
import { position } from "../../src/model/position.js";

/**
 * A lease row in one word: `owner@epoch:checkpoint`, with `free` for nobody; without a checkpoint it stands at 100. It
 * shows a present and a previous tenure, as every row does that was changed at least once.
 */
export function row(leaseKey: string, sketch: string): Lease {
  const [, owner, number, checkpoint] = /^(.+)@(\d+)(?::(.+))?$/.exec(sketch) ?? [];
  if (owner === undefined) throw new Error(`no sketch of a lease: ${sketch}`);
  const epoch = Number(number);
  const since = "2026-01-01T00:00:00.000Z";
  return {
    leaseKey,
    epoch,
    checkpoint: position(checkpoint ?? "100"),
    ownerSwitchesSinceCheckpoint: 0,
    ownersWornOut: 0,
    parents: [],
    children: [],
    marked: false,
    writeId: `${leaseKey}-${String(epoch)}`,
    previousTenure: { epoch: epoch - 1, worker: "before", reason: "taken", since },
    ...(owner === "free"
      ? { tenure: { epoch, reason: "released", cause: "stop", since } }
      : { owner, tenure: { epoch, worker: owner, reason: "taken", since } }),
  };
}

/** `leases({ s1: "me@5", s2: "free@3:SHARD_END" })` */
export function leases(sketches: Readonly<Record<string, string>>): Map<string, Lease> {
  return new Map(Object.entries(sketches).map(([key, sketch]) => [key, row(key, sketch)]));
}
