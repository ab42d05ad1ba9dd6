import { expect } from "chai";
import { archivePrevious } from "../../src/history/archive.js";
import { resolveProtocol } from "../../src/model/config.js";
import { StoreError } from "../../src/model/errors.js";
import type { HistoryEntry } from "../../src/model/history.js";
import type { Lease } from "../../src/model/lease.js";
import { position } from "../../src/model/position.js";
import type { Call } from "../../src/store/call.js";
import { seededRandom, VirtualTime } from "../../src/testing/index.js";

describe("archiving before a change of tenure", () => {
  const row: Lease = {
    leaseKey: "s1",
    epoch: 8,
    owner: "b",
    checkpoint: position("5"),
    ownerSwitchesSinceCheckpoint: 0,
    ownersWornOut: 0,
    parents: [],
    children: [],
    marked: false,
    previousTenure: { epoch: 7, worker: "a", reason: "taken", since: "then" },
    tenure: { epoch: 8, worker: "b", reason: "taken-from-fenced", cause: "observer", since: "now" },
  };
  let time: VirtualTime;
  let archived: { entry: HistoryEntry; expiresAt: number }[];
  let answer: () => Promise<void>;

  beforeEach(() => {
    time = new VirtualTime();
    archived = [];
    answer = async () => {};
  });

  function archive(lease: Lease, signal?: AbortSignal): Promise<unknown> {
    const history = {
      archive: (entry: HistoryEntry, expiresAt: number, _call?: Call) => {
        archived.push({ entry, expiresAt });
        return answer();
      },
      list: async () => [],
      highestEpoch: async () => undefined,
    };
    const deps = { history, clock: time.clock(), random: seededRandom(1), config: resolveProtocol() };
    const done = archivePrevious(deps, lease, signal).then(
      () => "archived",
      (error: unknown) => error,
    );
    return time.runUntilSettled(done);
  }

  it("keeps the row's previous tenure, with why it ended, for 30 days", async () => {
    expect(await archive(row)).to.equal("archived");
    expect(archived.map((a) => a.entry)).to.deep.equal([
      {
        leaseKey: "s1",
        epoch: 7,
        worker: "a",
        reason: "taken",
        since: "then",
        until: "now",
        endedBy: "taken-from-fenced",
        endCause: "observer",
      },
    ]);
    expect(archived[0]?.expiresAt).to.equal(Date.parse("2026-01-31T00:00:00Z") / 1_000);
  });

  it("asks nothing of the store where the row has no previous tenure", async () => {
    const { previousTenure: _previous, ...fresh } = row;
    expect(await archive(fresh)).to.equal("archived");
    expect(archived).to.deep.equal([]);
  });

  it("repeats what stayed unknown, with the very same entry", async () => {
    let failures = 2;
    answer = async () => {
      if (failures-- > 0) throw new StoreError("store-timeout", "lost", { retryable: true, ambiguous: true });
    };
    expect(await archive(row)).to.equal("archived");
    expect(archived).to.have.length(3);
    expect(archived[2]).to.deep.equal(archived[0]);
  });

  it("throws when it is not certain within one lease duration", async () => {
    const lost = new StoreError("store-unavailable", "down", { retryable: true, ambiguous: true });
    answer = () => Promise.reject(lost);
    expect(await archive(row)).to.equal(lost);
    expect(time.nowMs).to.be.at.most(10_000);
    expect(time.pendingTimers).to.equal(0);
  });

  it("throws at once what no repeat can mend, and when it is called off", async () => {
    const denied = new StoreError("store-denied", "no", { retryable: false, ambiguous: false });
    answer = () => Promise.reject(denied);
    expect(await archive(row)).to.equal(denied);
    expect(archived).to.have.length(1);
    expect(await archive(row, AbortSignal.abort())).to.be.instanceOf(StoreError);
    expect(archived).to.have.length(1);
  });
});
