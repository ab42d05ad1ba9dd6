import { expect } from "chai";
import { Healing } from "../../src/testing/healing.js";
import type { Unhealed } from "../../src/testing/invariants.js";
import { collectReports } from "./reports.js";

const orphan = (about: string): Unhealed => ({
  invariant: "owned-after-healing",
  about,
  what: `${about} has no owner`,
});

describe("healing", () => {
  const setUp = (): ReturnType<typeof collectReports> & { healing: Healing } => {
    const reports = collectReports();
    const healing = new Healing({ healedAtMs: 1_000, withinMs: 100 }, reports.report);
    return { ...reports, healing };
  };

  it("is over, and measured, at the first look without anything amiss", () => {
    const { healing, names } = setUp();
    healing.look(1_000, [orphan("a")]);
    expect(healing.isWhole).to.equal(false);
    healing.look(1_050, []);
    healing.look(1_090, []);
    expect(healing).to.include({ isWhole: true, ownedAfterMs: 50 });
    healing.end(2_000);
    expect(names).to.deep.equal([]);
  });

  it("does not hold what is amiss before it against anybody", () => {
    const { healing, names } = setUp();
    healing.look(0, [orphan("a")]);
    healing.look(999, [orphan("a")]);
    healing.look(1_000, [orphan("a")]);
    healing.look(1_100, [orphan("a")]);
    expect(names).to.deep.equal([]);
  });

  it("fails where something stays amiss, whether from its beginning or later", () => {
    const { healing, says } = setUp();
    healing.look(1_000, []);
    healing.look(1_300, [orphan("a")]);
    healing.look(1_400, [orphan("a")]);
    expect(healing).to.include({ isWhole: false, ownedAfterMs: 0 });
    expect(says).to.deep.equal([]);
    healing.look(1_401, [orphan("a"), orphan("b")]);
    expect(says).to.deep.equal(["401 ms after healing, and for 101 ms, a has no owner"]);
  });

  it("counts for each thing anew once it was right", () => {
    const { healing, names } = setUp();
    healing.look(1_000, [orphan("a")]);
    healing.look(1_090, [orphan("b")]);
    healing.look(1_110, [orphan("a")]);
    healing.look(1_190, [orphan("a"), orphan("b")]);
    expect(names).to.deep.equal([]);
  });

  it("fails at the end where something is amiss then, and where nothing ever showed that it heals", () => {
    const { healing, names } = setUp();
    healing.look(1_000, []);
    healing.look(1_950, [orphan("a")]);
    healing.end(2_000);
    expect(names).to.deep.equal(["owned-after-healing"]);
    const early = setUp();
    early.healing.look(900, []);
    early.healing.end(999);
    expect(early.names).to.deep.equal(["owned-after-healing"]);
    const unseen = setUp();
    unseen.healing.end(1_001);
    expect(unseen.names).to.deep.equal(["owned-after-healing"]);
  });
});
