import { expect } from "chai";
import { Cli } from "../cli/spawn-cli.js";

describe("the demo", function () {
  // With leases of 3 s it takes about half a minute; a loaded machine takes its time.
  this.timeout(180_000);
  let demo: Cli | undefined;

  afterEach(() => {
    if (demo?.child.exitCode === null) demo.child.kill("SIGTERM");
  });

  it("kills, freezes, reshards and deploys over its workers, and its books balance", async () => {
    const args = ["demo", "--json", "--shards", "4", "--records", "2000", "--lease-duration-ms", "3000"];
    demo = new Cli(args, {}, 170_000);
    const { code, stdout, stderr, json } = await demo.exit;
    expect(code, stderr).to.equal(0);
    expect(stdout.trimEnd().split("\n"), "stdout").to.have.length(1);
    const result = json() as Record<string, number | boolean>;
    expect(Object.keys(result)).to.deep.equal([
      "ok",
      "records",
      "lost",
      "duplicates",
      "refusedWrites",
      "startMs",
      "failoverMs",
      "deployMs",
      "moves",
    ]);
    expect(result).to.include({ ok: true, records: 2_000, lost: 0 });
    expect(result["refusedWrites"]).to.be.at.least(1);
    // Nobody told the fleet: silence had to last before anybody could take over.
    expect(result["failoverMs"]).to.be.at.least(2_000);
    for (const step of ["SIGKILL", "SIGSTOP", "SIGCONT", "splitting", "merging", "SIGTERM"]) {
      expect(stderr).to.include(step);
    }
  });
});
