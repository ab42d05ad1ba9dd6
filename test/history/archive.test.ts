import { expect } from "chai";
import { archivePrevious } from "../../src/history/archive.js";
import { resolveProtocol, retentionMs } from "../../src/model/config.js";
import type { StoreError } from "../../src/model/errors.js";
import { seededRandom, VirtualTime } from "../../src/testing/index.js";
import { startWallMs } from "../../src/testing/virtual-clock.js";
import { row } from "./lease-rows.js";
import { ScriptedStore } from "./scripted-store.js";

describe("archiving a finished tenure", () => {
  let time: VirtualTime;
  let scripted: ScriptedStore;

  beforeEach(() => {
    time = new VirtualTime();
    scripted = new ScriptedStore();
  });

  afterEach(() => {
    expect(time.pendingTimers, "leaked timers").to.equal(0);
  });

  function archive(lease = row("s1", "me@5"), signal?: AbortSignal): Promise<unknown> {
    const deps = {
      history: scripted.store.history,
      clock: time.clock(),
      random: seededRandom(1),
      config: resolveProtocol(),
    };
    return time.runUntilSettled(archivePrevious(deps, lease, signal));
  }

  const code = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => "archived",
      (error: unknown) => (error as StoreError).code,
    );

  it("keeps the entry for 30 days, in whole seconds rounded up", async () => {
    await archive();
    expect(scripted.calls[0]!.args[1]).to.equal((startWallMs + retentionMs) / 1_000);
    expect(scripted.epochs("s1")).to.deep.equal([4]);
  });

  it("repeats a call without an answer until it stands", async () => {
    scripted.next("history.archive", "lost-request", "throttled", "lost-answer");
    await archive();
    expect(scripted.count("history.archive")).to.equal(4);
    expect(scripted.epochs("s1")).to.deep.equal([4]);
  });

  it("throws when it is not certain within one lease duration that it stands", async () => {
    scripted.always("history.archive", "lost-answer");
    expect(await code(archive())).to.equal("store-timeout");
    expect(time.nowMs).to.be.within(8_000, 13_000);
  });

  it("throws at once what a repeat cannot mend", async () => {
    scripted.next("history.archive", "denied");
    expect(await code(archive())).to.equal("store-denied");
    expect(scripted.count("history.archive")).to.equal(1);
  });

  it("has nothing to do for a row without a previous tenure", async () => {
    const { previousTenure: _p, ...fresh } = row("s1", "me@5");
    await archive(fresh);
    expect(scripted.calls).to.have.length(0);
  });

  it("sends nothing when called off", async () => {
    expect(await code(archive(row("s1", "me@5"), AbortSignal.abort()))).to.equal("store-timeout");
    expect(scripted.calls).to.have.length(0);
  });

  it("never overwrites what stands", async () => {
    await archive();
    const first = scripted.tables.historyOf("s1").get(4);
    const lease = row("s1", "me@5");
    await archive({ ...lease, previousTenure: { ...lease.previousTenure!, worker: "forged" } });
    expect(scripted.tables.historyOf("s1").get(4)).to.equal(first);
  });
});
