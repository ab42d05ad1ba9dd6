import { expect } from "chai";
import type { Member } from "../../src/fleet/member.js";
import { assignAll } from "../../src/fleet/rota.js";
import { resolveProtocol } from "../../src/model/config.js";
import { StoreError } from "../../src/model/errors.js";
import type { LeaseholdEvent } from "../../src/model/events.js";
import type { WorkerRow } from "../../src/model/worker-row.js";
import { emptyWorkerRow } from "../../src/store/empty-worker-row.js";
import { seededRandom, VirtualTime } from "../../src/testing/index.js";
import { World } from "./harness.js";

const epoch = 4;
const atOnce = 8;

interface Call {
  readonly observer: string;
  readonly answer: (ok: boolean, current: Partial<WorkerRow>) => void;
  readonly refuse: (error: StoreError) => void;
}

/** The planner of twenty workers of which nobody observes anybody yet, whose assignments wait for the test. */
function setting() {
  const time = new VirtualTime();
  const workers = Array.from({ length: 20 }, (_, i) => emptyWorkerRow(`w${String(i)}`, 5));
  const calls: Call[] = [];
  const told: LeaseholdEvent[] = [];
  const failed: string[] = [];
  const assignObserver = (observer: string, observes: WorkerRow["observes"]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      calls.push({
        observer,
        answer: (ok, changes) => {
          const row = { ...emptyWorkerRow(observer, 6), ...(ok ? { observes } : {}), ...changes };
          resolve(ok ? { ok, row } : { ok, current: row });
        },
        refuse: reject,
      });
    });
  const member = {
    workerId: "w0",
    deps: {
      clock: time.clock(),
      random: seededRandom(1),
      config: resolveProtocol(),
      emit: (event: LeaseholdEvent) => told.push(event),
      store: { membership: { assignObserver } },
    },
    fleet: { isInPart: false, workers, applyWorker: () => undefined },
    tasks: { failed: (operation: string) => failed.push(operation) },
  } as unknown as Member;
  const planner = { isElected: true };
  const assigned = assignAll(member, epoch, () => planner.isElected);
  return { time, calls, told, failed, planner, assigned };
}

const assignedBy = (told: readonly LeaseholdEvent[]): readonly string[] =>
  told.flatMap((event) => (event.type === "observer-assigned" ? [event.observer] : []));

describe("a planner's assignments of observers", () => {
  it("go on to the last row, a fenced one's refusal notwithstanding", async () => {
    const { calls, told, assigned, time } = setting();
    for (let next = 0; next < 20; next++) {
      await time.advance(1);
      calls[next]?.answer(next !== 3, next === 3 ? { fencedBy: "w9" } : {});
    }
    await time.runUntilSettled(assigned);
    expect(calls).to.have.length(20);
    expect(assignedBy(told)).to.have.length(19).and.not.to.include(calls[3]?.observer);
  });

  it("stop where it is deposed: those under way are told of by their answers, and no more are sent", async () => {
    const { calls, told, assigned, planner, time } = setting();
    await time.advance(1);
    calls[0]?.answer(true, {});
    await time.advance(1);
    planner.isElected = false;
    const underWay = calls.slice(1);
    expect(underWay).to.have.length(atOnce);
    for (const call of underWay) call.answer(true, {});
    await time.runUntilSettled(assigned);
    expect(calls).to.have.length(atOnce + 1);
    expect(assignedBy(told)).to.have.length(atOnce + 1);
  });

  it("are not sent a second time by a deposed one", async () => {
    const { calls, told, failed, assigned, planner, time } = setting();
    await time.advance(1);
    planner.isElected = false;
    const throttled = new StoreError("store-throttled", "too many", { retryable: true, ambiguous: false });
    for (const call of calls) call.refuse(throttled);
    await time.runUntilSettled(assigned);
    expect(calls).to.have.length(atOnce);
    expect(assignedBy(told)).to.deep.equal([]);
    expect(failed).to.have.length(atOnce);
  });

  it("stop at the first row in which a successor has written", async () => {
    const { calls, told, assigned, time } = setting();
    await time.advance(1);
    const observes = { plannerEpoch: epoch + 1, marks: [] };
    for (const call of [...calls]) call.answer(false, { observes });
    await time.runUntilSettled(assigned);
    expect(calls).to.have.length(atOnce);
    expect(assignedBy(told)).to.deep.equal([]);
  });

  // Thirty rows at eight at a time, each answered late: the planner lease is taken while the first are under way.
  it("end with the planner lease: what is sent afterwards was under way before", async () => {
    const world = new World();
    world.befall("membership.nameObserver", "down");
    world.befall("membership.assignObserver", { laterMs: 1_900 });
    await world.start(...Array.from({ length: 30 }, (_, i) => `w${String(i)}`));
    await world.until(() => world.arrived("membership.assignObserver").length > 0);
    const old = world.planner;
    const other = world.at(old === "w0" ? "w1" : "w0").id;
    await world.direct.plannerDesk.claim(other, world.rows.view().planner?.epoch);
    await world.until(() => world.events("planner-deposed", old).length > 0);
    const before = world.arrived("membership.assignObserver", old).length;
    expect(before).to.be.within(atOnce, 2 * atOnce);
    await world.run(10_000);
    expect(world.arrived("membership.assignObserver", old)).to.have.length(before);
  });
});
