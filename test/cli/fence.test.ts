import { expect } from "chai";
import { startDynalite, type Dynalite } from "../../src/embedded/dynalite.js";
import { Cli, fixture, runCli, until } from "./spawn-cli.js";

interface Status {
  readonly workers: readonly { readonly workerId: string; readonly state: string; readonly leases: number }[];
  readonly leases: readonly { readonly leaseKey: string; readonly owner: string | null }[];
}

describe("leasehold fence", function () {
  this.timeout(120_000);
  let dynalite: Dynalite;
  let env: Record<string, string>;
  let worker: Cli | undefined;

  before(async () => {
    dynalite = await startDynalite();
    env = { AWS_ENDPOINT_URL_DYNAMODB: dynalite.endpoint };
  });

  after(() => dynalite.stop());

  afterEach(() => {
    if (worker?.child.exitCode === null) worker.child.kill("SIGKILL");
  });

  const status = async (): Promise<Status> =>
    (await runCli(["status", "--application", "orders", "--json"], env)).json() as Status;
  const owners = (now: Status): ReadonlySet<string | null> => new Set(now.leases.map(({ owner }) => owner));
  const worked = (): Promise<string> =>
    until("every lease to have one owner", async () => {
      const now = await status();
      const [owner] = owners(now);
      return now.leases.length === 3 && owners(now).size === 1 && typeof owner === "string"
        ? owner
        : undefined;
    });

  it("ends a live worker, whose process comes back as a new one and works on", async () => {
    worker = new Cli(
      [
        ...["run", "--application", "orders", "--partitions", "a,b,c", "--json", "--no-supervise"],
        ...["--handler", fixture("factory.mjs"), "--lease-duration-ms", "4000"],
      ],
      env,
    );
    await until("tables", () =>
      worker?.log().some(({ msg }) => msg === "turn") === true ? true : undefined,
    );
    const first = await worked();
    const options = ["--application", "orders", "--operator", "ann@ops", "--lease-duration-ms", "4000"];

    const wrong = await runCli(["fence", "nobody-1", ...options, "--json"], env);
    expect(wrong.code).to.equal(1);
    expect(wrong.json()).to.have.nested.property("error.code", "worker-missing");
    expect(wrong.stderr).to.include("nobody-1").and.to.include(first);
    const elsewhere = await runCli(["fence", first, "--application", "orderz", "--json"], env);
    expect(elsewhere.code).to.equal(1);
    expect(elsewhere.json()).to.have.nested.property("error.code", "table-missing");

    const fenced = await runCli(["fence", first, ...options, "--json"], env);
    expect(fenced.code, fenced.stderr).to.equal(0);
    const result = fenced.json() as Record<string, unknown>;
    expect(result).to.include({ application: "orders", workerId: first, by: "ann@ops", freeWithinMs: 6_000 });
    expect(result["leases"]).to.deep.equal(["a", "b", "c"]);

    const again = await runCli(["fence", first, ...options], env);
    expect(again.code).to.equal(1);
    expect(again.stderr).to.include(`worker ${first} is fenced already: ann@ops fenced it at`);

    const second = await until("a new worker to have them", async () => {
      const [owner] = owners(await status());
      return typeof owner === "string" && owner !== first ? owner : undefined;
    });
    expect((await status()).workers.find(({ workerId }) => workerId === first)?.state).to.equal("fenced");
    const lines = worker.log().map(({ type }) => type);
    expect(lines).to.include("force-fenced");
    expect(await worked()).to.equal(second);
  });
});
