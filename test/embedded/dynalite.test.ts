import { expect } from "chai";
import { startDynalite } from "../../src/embedded/dynalite.js";

describe("dynalite in a process of its own", () => {
  it("answers on loopback, and is gone after its stop", async () => {
    const dynalite = await startDynalite();
    expect(dynalite.endpoint).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(dynalite.endpoint)).status).to.equal(200);
    const pid = dynalite.pid!;
    await dynalite.stop();
    expect(() => process.kill(pid, 0)).to.throw(/ESRCH/);
  });
});
