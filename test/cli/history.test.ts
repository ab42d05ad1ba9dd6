import { DeleteItemCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { emulatorClient } from "../support/dynamodb.js";
import type { HistoryAnswer, HistoryVerdict } from "../../src/index.js";
import { Place } from "./place.js";
import { fixture, until, type Cli } from "./spawn-cli.js";

interface Status {
  readonly leases: readonly { readonly leaseKey: string; readonly owner: string | null }[];
}

describe("leasehold history", function () {
  this.timeout(180_000);
  const place = new Place();

  const start = (label: string): Cli =>
    place.start([
      ...["run", "--application", "orders", "--partitions", "a,b,c,d", "--json", "--no-supervise"],
      ...["--handler", fixture("factory.mjs"), "--lease-duration-ms", "4000", "--label", label],
    ]);

  const ask = (...args: readonly string[]) => place.run("history", ...args, "--application", "orders");
  const answer = async (...args: readonly string[]): Promise<HistoryAnswer> => {
    const { code, stderr, json } = await ask(...args, "--json");
    expect(code, stderr).to.equal(0);
    return json() as HistoryAnswer;
  };

  /** Waits until these labels, and nobody else, own the four leases. */
  const sharedBy = (...labels: readonly string[]): Promise<Status> =>
    until(`the leases to be shared by ${labels.join(" and ")}`, async () => {
      const now = await place.status<Status>("orders");
      if (now === undefined) return undefined;
      const owners = new Set(now.leases.map(({ owner }) => owner?.replace(/-[^-]*$/, "")));
      const isSo = owners.size === labels.length && labels.every((label) => owners.has(label));
      return now.leases.length === 4 && isSo ? now : undefined;
    });

  it("tells what a small fleet lived through, and what is missing once something is", async () => {
    const first = start("first");
    await sharedBy("first");
    start("second");
    const shared = await sharedBy("first", "second");
    const victim = shared.leases.find(({ owner }) => owner?.startsWith("first-"))?.owner ?? "";
    expect(victim).to.match(/^first-/);
    first.child.kill("SIGKILL");
    const { leases } = await sharedBy("second");

    const verified = await ask("verify");
    expect(verified.code, verified.stderr + verified.stdout).to.equal(0);
    expect(verified.stdout).to.match(/the history is whole: \d+ epochs of 4 leases, nothing missing/);

    const { tenures } = await answer("--lease", "a");
    expect(tenures.map(({ epoch }) => epoch - (tenures[0]?.epoch ?? 0))).to.deep.equal([...tenures.keys()]);
    expect(tenures[0]).to.include({ reason: "created", endedBy: "taken" });
    const last = tenures.at(-1);
    expect(last?.worker).to.equal(leases.find(({ leaseKey }) => leaseKey === "a")?.owner);
    expect(last).not.to.have.property("until");

    const all = (await answer()).tenures;
    const lost = all.filter(({ worker, endCause }) => worker === victim && endCause === "observer");
    expect(lost.length, JSON.stringify(all)).to.be.at.least(1);
    const held = (await answer("--worker", victim)).tenures;
    expect(held).to.deep.equal(all.filter(({ worker }) => worker === victim));

    // Just as its last lease was taken from it, it held this one, and just after it the other did.
    const { leaseKey, since, until: end = "" } = lost[0] ?? { leaseKey: "", since: "" };
    const holder = async (time: string): Promise<string | undefined> =>
      (await answer("--lease", leaseKey, "--at", time)).tenures[0]?.worker;
    expect(await holder(since)).to.equal(victim);
    expect(await holder(end)).to.match(/^second-/);
    const after = (await answer("--since", end)).tenures;
    expect(after.every((tenure) => tenure.until === undefined || tenure.until > end)).to.equal(true);
    const table = await ask("--lease", leaseKey);
    expect(table.stdout).to.include("wall clocks").and.to.include("taken-from-fenced (observer)");

    const unknown = await ask("--lease", "nowhere", "--json");
    expect(unknown.code).to.equal(1);
    expect(unknown.json()).to.have.nested.property("error.code", "lease-missing");

    // Somebody deletes one entry by hand.
    const epoch = all.find((tenure) => tenure.leaseKey === leaseKey)?.epoch ?? 0;
    const client = emulatorClient(place.endpoint);
    const Key = { pk: { S: `history#${leaseKey}` }, sk: { S: String(epoch).padStart(16, "0") } };
    await client.send(new DeleteItemCommand({ TableName: "orders-fleet", Key }));
    client.destroy();
    const broken = await ask("verify", "--json");
    expect(broken.code).to.equal(1);
    const verdict = broken.json() as HistoryVerdict;
    expect(verdict.ok).to.equal(false);
    expect(verdict.problems.map(({ leaseKey: key, kind, epochs }) => [key, kind, epochs])).to.deep.equal([
      [leaseKey, "begins-late", [epoch + 1, epoch + 1]],
    ]);
    const told = await ask("verify");
    expect(told.stdout).to.include(
      `begins with epoch ${String(epoch + 1)} (taken): what was before is missing`,
    );
  });
});
