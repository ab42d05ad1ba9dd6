import { expect } from "chai";
import { Place } from "./place.js";
import { fixture, until } from "./spawn-cli.js";

interface Status {
  readonly workers: readonly { readonly workerId: string; readonly state: string; readonly leases: number }[];
  readonly leases: readonly { readonly leaseKey: string; readonly owner: string | null }[];
}

describe("leasehold fence", function () {
  this.timeout(120_000);
  const place = new Place();

  const status = async (): Promise<Status> => {
    const now = await place.status<Status>("orders");
    if (now === undefined) throw new Error("there are no tables yet");
    return now;
  };
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
    const worker = place.start([
      ...["run", "--application", "orders", "--partitions", "a,b,c", "--json", "--no-supervise"],
      ...["--handler", fixture("factory.mjs"), "--lease-duration-ms", "4000"],
    ]);
    await until("tables", () => (worker.log().some(({ msg }) => msg === "turn") ? true : undefined));
    const first = await worked();
    const options = ["--application", "orders", "--operator", "ann@ops", "--lease-duration-ms", "4000"];

    const wrong = await place.run("fence", "nobody-1", ...options, "--json");
    expect(wrong.code).to.equal(1);
    expect(wrong.json()).to.have.nested.property("error.code", "worker-missing");
    expect(wrong.stderr).to.include("nobody-1").and.to.include(first);
    const elsewhere = await place.run("fence", first, "--application", "orderz", "--json");
    expect(elsewhere.code).to.equal(1);
    expect(elsewhere.json()).to.have.nested.property("error.code", "table-missing");

    const fenced = await place.run("fence", first, ...options, "--json");
    expect(fenced.code, fenced.stderr).to.equal(0);
    const result = fenced.json() as Record<string, unknown>;
    expect(result).to.include({ application: "orders", workerId: first, by: "ann@ops", freeWithinMs: 6_000 });
    expect(result["leases"]).to.deep.equal(["a", "b", "c"]);

    const again = await place.run("fence", first, ...options);
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
