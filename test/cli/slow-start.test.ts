import { expect } from "chai";
import { SlowStart } from "../../src/cli/slow-start.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";

describe("a slow start", () => {
  it("says every ten seconds what it waits for, until it is over", async () => {
    const time = new VirtualTime();
    const said: string[] = [];
    const start = new SlowStart(time.clock(), { warn: (_, message) => said.push(message) });
    start.waitsFor("the handler");
    await time.advance(25_000);
    start.waitsFor("the tables");
    await time.advance(10_000);
    start.over();
    await time.advance(60_000);
    expect(said.map((message) => message.replace(/.*waits for /, ""))).to.deep.equal([
      "the handler",
      "the handler",
      "the tables",
    ]);
    expect(time.pendingTimers).to.equal(0);
  });
});
