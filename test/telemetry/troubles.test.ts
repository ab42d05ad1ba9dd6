import { expect } from "chai";
import { Troubles, type Trouble } from "../../src/telemetry/troubles.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";

const down: Trouble = {
  key: "down",
  level: "warn",
  message: "the store does not answer",
  over: "the store answers again",
  operation: "membership.beat",
};
const lapse: Trouble = { key: "lapse", level: "warn", message: "belief lapsed" };

describe("troubles", () => {
  let time: VirtualTime;
  let troubles: Troubles;

  beforeEach(() => {
    time = new VirtualTime();
    troubles = new Troubles(time.clock());
  });

  async function seeEachSecond(trouble: Trouble, seconds: number): Promise<[number, string][]> {
    const told: [number, string][] = [];
    for (let second = 0; second < seconds; second++) {
      const { level, message } = troubles.seen(trouble);
      if (level !== "debug") told.push([second, message]);
      await time.advance(1_000);
    }
    return told;
  }

  it("are told at once, then once a minute with what was left out", async () => {
    expect(await seeEachSecond(down, 130)).to.deep.equal([
      [0, "the store does not answer"],
      [60, "the store does not answer (60 times more in the last 60 s)"],
      [120, "the store does not answer (60 times more in the last 60 s)"],
    ]);
  });

  it("are over when an answer has come and it has been quiet since", async () => {
    await seeEachSecond(down, 5);
    await time.advance(60_000);
    expect(troubles.due(), "nobody knows: nothing was answered").to.deep.equal([]);
    troubles.answered("leases.scan");
    expect(troubles.due(), "not one of its operations").to.deep.equal([]);
    troubles.answered("membership.beat");
    expect(troubles.due().map(({ level, message }) => [level, message])).to.deep.equal([
      ["info", "the store answers again after 4 s, 5 times in all"],
    ]);
    expect(troubles.due()).to.deep.equal([]);
    expect(troubles.seen(down), "a new one is told at once").to.include({ level: "warn", times: 1 });
  });

  it("are not over at every second answer", async () => {
    for (let i = 0; i < 20; i++) {
      troubles.seen(down);
      troubles.answered("membership.beat");
      await time.advance(9_000);
      expect(troubles.due()).to.deep.equal([]);
    }
    await time.advance(1_000);
    expect(troubles.due()).to.have.length(1);
  });

  it("that do not last are counted, and forgotten after a minute", async () => {
    await seeEachSecond(lapse, 3);
    await time.advance(57_000);
    expect(troubles.due().map(({ message }) => message)).to.deep.equal([
      "belief lapsed (2 times more in the last 60 s)",
    ]);
    await time.advance(60_000);
    expect(troubles.due()).to.deep.equal([]);
    expect(troubles.seen(lapse)).to.include({ level: "warn", message: "belief lapsed", times: 1 });
  });

  it("of different keys are told apart", () => {
    troubles.seen(down);
    expect(troubles.seen(lapse)).to.include({ level: "warn", times: 1 });
  });
});
