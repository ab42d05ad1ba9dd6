import { expect } from "chai";
import { systemClock } from "../../src/runtime/system.js";
import { Place } from "./place.js";
import { fixture, isAlive, runCli, until, type Cli } from "./spawn-cli.js";

interface Status {
  readonly application: string;
  readonly liveness: string;
  readonly planner: string | null;
  readonly workers: readonly { readonly workerId: string; readonly state: string; readonly leases: number }[];
  readonly leases: readonly {
    readonly leaseKey: string;
    readonly owner: string | null;
    readonly state: string;
  }[];
}

describe("leasehold run and status", function () {
  this.timeout(120_000);
  const place = new Place();

  const start = (application: string, ...more: readonly string[]): Cli =>
    place.start([
      ...["run", "--application", application, "--partitions", "a,b,c,d", "--json"],
      ...(more.includes("--handler") ? [] : ["--handler", fixture("factory.mjs")]),
      ...["--lease-duration-ms", "4000", ...more],
    ]);

  const status = async (application: string): Promise<Status> => {
    const now = await place.status<Status>(application);
    if (now === undefined) throw new Error(`application ${application} has no tables`);
    return now;
  };

  /** Waits until every partition had a turn, and returns the processes that made them. */
  const allWorked = (cli: Cli, after = 0): Promise<ReadonlySet<number>> =>
    until("a turn of every partition", () => {
      const turns = cli
        .log()
        .slice(after)
        .filter(({ msg }) => msg === "turn");
      const keys = new Set(turns.map(({ leaseKey }) => leaseKey));
      return keys.size === 4 ? new Set(turns.map(({ pid }) => Number(pid))) : undefined;
    });

  const bothWork = (cli: Cli): Promise<true> =>
    until("both children to work", () => {
      const pids = new Set(cli.log().flatMap(({ msg, pid }) => (msg === "turn" ? [Number(pid)] : [])));
      return pids.size === 2 ? true : undefined;
    });

  const childPids = (cli: Cli): number[] =>
    cli.log().flatMap(({ msg, pid }) => (msg === "child-started" ? [Number(pid)] : []));

  describe("with a handler file that cannot be used", () => {
    for (const [name, ...texts] of [
      ["is-not-there.mjs", "cannot be read", "give the path"],
      ["no-default.mjs", "has no default export", "process(batch, lease)"],
      ["no-processor.mjs", "default export of type number", "process(batch, lease)"],
      ["makes-none.mjs", "returned object", "process(batch, lease)"],
      ["throws.mjs", "threw: no database"],
      ["does-not-load.mjs", "does not load", "is-not-there.mjs"],
    ] as const) {
      for (const how of [[], ["--no-supervise"]]) {
        it(`fails at once, and says why: ${[name, ...how].join(" ")}`, async () => {
          const args = ["run", "--application", "orders", "--partitions", "2", "--json", ...how];
          const { code, json } = await place.run(...args, "--handler", fixture(name));
          expect(code).to.equal(1);
          const { ok, error } = json() as { ok: boolean; error: { code: string; message: string } };
          expect(ok).to.be.false;
          expect(error.code).to.equal("handler-invalid");
          for (const text of [name, ...texts]) expect(error.message).to.include(text);
        });
      }
    }
  });

  for (const how of [[], ["--no-supervise"]]) {
    it(`stops at once while the handler is not ready: run ${how.join(" ")}`, async () => {
      const cli = start("unready", "--handler", fixture("never-ready.mjs"), ...how);
      await until("the handler to load", () => (cli.stderr.includes("never ready") ? true : undefined));
      const from = systemClock.now().monoMs;
      cli.child.kill("SIGTERM");
      const { code, json } = await cli.exit;
      // Not after the time in which a supervisor gives a hanging child up.
      expect(systemClock.now().monoMs - from).to.be.below(20_000);
      expect(code).to.equal(0);
      expect(json()).to.deep.equal({ ok: true, application: "unready", workers: 1, restarts: 0 });
    });
  }

  it("leaves no child behind whose handler is not ready when the supervisor is killed", async () => {
    const cli = start("unready-orphan", "--handler", fixture("never-ready.mjs"));
    await until("the handler to load", () => (cli.stderr.includes("never ready") ? true : undefined));
    const pids = childPids(cli);
    cli.child.kill("SIGKILL");
    await until("the child to end", () => (pids.some(isAlive) ? undefined : true));
  });

  for (const status of [0, 3]) {
    it(`prints its object when the handler ends the process with status ${String(status)}`, async () => {
      const cli = place.start(
        [
          ...["run", "--application", "ended", "--partitions", "2", "--json", "--no-supervise"],
          ...["--handler", fixture("ends-process.mjs")],
        ],
        { FIXTURE_STATUS: String(status) },
      );
      const { code, json } = await cli.exit;
      expect(code).to.equal(status === 0 ? 1 : status);
      expect(json()).to.have.property("ok", false);
      expect(json()).to.have.nested.property("error.code", "ended-early");
    });
  }

  it("works every partition in one process, shows it, and hands back at a SIGTERM", async () => {
    const cli = start("alone", "--no-supervise");
    expect(await allWorked(cli)).to.deep.equal(new Set([cli.child.pid]));

    const shown = await status("alone");
    expect(Object.keys(shown)).to.include.members([
      "application",
      "liveness",
      "planner",
      "workers",
      "leases",
    ]);
    expect(shown).to.include({ application: "alone", liveness: "worker" });
    expect(shown.workers).to.have.length(1);
    const [worker] = shown.workers;
    expect(worker).to.include.keys("workerId", "state", "leases", "load", "capacity");
    expect(worker?.leases).to.equal(4);
    expect(shown.leases.map(({ leaseKey }) => leaseKey)).to.deep.equal(["a", "b", "c", "d"]);
    for (const lease of shown.leases) {
      expect(lease).to.include.keys("leaseKey", "owner", "epoch", "checkpoint", "state", "parents");
      expect(lease).to.include({ owner: worker?.workerId, state: "owned" });
    }
    const text = await place.run("status", "--application", "alone");
    expect(text.stdout).to.include("WORKER").and.to.include(String(worker?.workerId));

    cli.child.kill("SIGTERM");
    const { code, json } = await cli.exit;
    expect(code).to.equal(0);
    expect(json()).to.deep.equal({ ok: true, application: "alone", workers: 1, restarts: 0 });
    const after = await status("alone");
    expect(after.workers.map(({ state }) => state)).to.deep.equal(["left"]);
  });

  it("fences a child that was killed, starts another, and stops all at a SIGTERM", async () => {
    const cli = start("supervised", "--workers", "2");
    await bothWork(cli);
    const [victim = 0] = childPids(cli);
    process.kill(victim, "SIGKILL");
    // All write to one pipe: what the victim had still to say stands before this line, heard by now or not.
    const fence = await until("the fence", () => {
      const at = cli.log().findIndex(({ msg }) => msg === "worker-fenced");
      return at === -1 ? undefined : at;
    });
    expect(await allWorked(cli, fence)).not.to.include(victim);
    await until("the restart", () => (childPids(cli).length === 3 ? true : undefined));
    const { workers } = await status("supervised");
    expect(workers.map(({ state }) => state)).to.include("fenced");

    cli.child.kill("SIGTERM");
    const { code, json } = await cli.exit;
    expect(code).to.equal(0);
    expect(json()).to.deep.equal({ ok: true, application: "supervised", workers: 2, restarts: 1 });
    expect(childPids(cli).filter(isAlive)).to.deep.equal([]);
  });

  it("leaves no child behind when the supervisor itself is killed", async () => {
    const cli = start("orphaned", "--workers", "2");
    // One alone works all partitions, while the other may have no row yet to leave.
    await bothWork(cli);
    const pids = childPids(cli);
    expect(pids).to.have.length(2);
    cli.child.kill("SIGKILL");
    await until("the children to end", () => (pids.some(isAlive) ? undefined : true));
    const { workers } = await status("orphaned");
    // Nobody had to wait for their silence: they left by themselves.
    expect(workers.map(({ state }) => state)).to.deep.equal(["left", "left"]);
  });

  for (const how of [[], ["--no-supervise"]]) {
    it(`fails at once where no region is configured: run ${how.join(" ")}`, async () => {
      const args = ["run", "--application", "orders", "--stream", "s", "--json", ...how];
      const noRegion = { AWS_REGION: "", AWS_CONFIG_FILE: "/dev/null" };
      const { code, json } = await runCli([...args, "--handler", fixture("processor.mjs")], noRegion);
      expect(code).to.equal(1);
      expect(json()).to.have.nested.property("error.message").that.includes("set AWS_REGION");
    });
  }

  it("says of an application that was never run that its tables are missing", async () => {
    const { code, json } = await place.run("status", "--application", "nobody", "--json");
    expect(code).to.equal(1);
    expect(json()).to.have.nested.property("error.code", "table-missing");
  });
});
