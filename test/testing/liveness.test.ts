import { expect } from "chai";
import { resolveProtocol } from "../../src/model/config.js";
import { trimHorizon } from "../../src/model/position.js";
import { MemoryTables } from "../../src/store/memory/index.js";
import { Ledger } from "../../src/testing/ledger.js";
import { Liveness } from "../../src/testing/liveness.js";
import type { Processes } from "../../src/testing/processes.js";
import type { SimulatedProcess } from "../../src/testing/simulated-process.js";
import { SimulatedShards } from "../../src/testing/simulated-shards.js";
import { Weather } from "../../src/testing/weather.js";
import { collectReports } from "./reports.js";

const stopsAtMs = 60_000;
const free = {
  leaseKey: "a",
  checkpoint: trimHorizon,
  ownerSwitchesSinceCheckpoint: 0,
  ownersWornOut: 0,
  parents: [],
  children: [],
  marked: false,
};

/** Three processes of one worker each, w0, w1 and w2, and the lease a. */
function setting() {
  const found = collectReports();
  const tables = new MemoryTables();
  tables.create();
  let nowMs = stopsAtMs;
  const beliefs = new Map<string, ReadonlyMap<string, number>>();
  const processes = ["w0", "w1", "w2"].map(
    (workerId, slot) =>
      ({
        slot,
        name: `process ${workerId}`,
        workerIds: [workerId],
        state: "running",
        startedAtMs: 0,
      }) as unknown as SimulatedProcess,
  );
  const liveness = new Liveness(
    {
      config: resolveProtocol({ leaseDurationMs: 5_000 }),
      retryMs: 1_000,
      nowMs: () => nowMs,
      rows: () => tables.view(),
      processes: () => ({ alive: () => processes }) as unknown as Processes,
      weather: new Weather(() => nowMs),
      ledger: new Ledger(new SimulatedShards(1), found.report),
      believedBy: (workerId) => beliefs.get(workerId) ?? new Map<string, number>(),
    },
    found.report,
  );
  /** The row says so; whether its owner believes it is another matter. */
  const owned = (workerId: string, epoch: number, isBelieved: boolean): void => {
    beliefs.clear();
    tables.setLease({ ...free, owner: workerId, epoch });
    if (isBelieved) beliefs.set(workerId, new Map([["a", epoch]]));
  };
  return {
    found,
    owned,
    begins: (workerId: string, epoch: number): void => {
      owned(workerId, epoch, true);
      liveness.began(workerId, "a");
    },
    leaves: (workerId: string): void => {
      liveness.leaves(workerId);
    },
    /** The stop is over, and the time for an orphan too. */
    judged: (slot: number): void => {
      const process = processes[slot];
      if (process === undefined) throw new Error("no such process");
      const look = liveness.left(process);
      nowMs += liveness.orphanedForMs;
      look?.();
    },
  };
}

describe("the check that a stop leaves no orphan", () => {
  it("finds nothing where another works what the leaver held", () => {
    const s = setting();
    s.begins("w0", 7);
    s.leaves("w0");
    s.begins("w1", 8);
    s.judged(0);
    expect(s.found.says).to.deep.equal([]);
  });

  it("finds a lease that was handed over and that nobody has begun", () => {
    const s = setting();
    s.begins("w0", 7);
    s.leaves("w0");
    s.owned("w1", 8, false);
    s.judged(0);
    expect(s.found.names).to.deep.equal(["stops-leave-no-orphan"]);
    expect(s.found.says[0]).to.match(/held last by process w0/);
  });

  it("holds a lease that another has begun, and hands over in turn, against nobody but that one", () => {
    const s = setting();
    s.begins("w0", 7);
    s.leaves("w0");
    s.begins("w1", 8);
    s.leaves("w1");
    s.owned("w2", 9, false);
    s.judged(0);
    expect(s.found.says).to.deep.equal([]);
    s.judged(1);
    expect(s.found.names).to.deep.equal(["stops-leave-no-orphan"]);
    expect(s.found.says[0]).to.match(/held last by process w1/);
  });

  it("holds a lease that a leaver begins while it leaves against that leaver", () => {
    const s = setting();
    s.begins("w0", 7);
    s.leaves("w0");
    s.leaves("w1");
    s.begins("w1", 8);
    s.owned("w2", 9, false);
    s.judged(0);
    expect(s.found.says).to.deep.equal([]);
    s.judged(1);
    expect(s.found.names).to.deep.equal(["stops-leave-no-orphan"]);
  });
});
