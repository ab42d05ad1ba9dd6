import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import ts from "typescript";
import { startDynalite, type Dynalite } from "../../src/embedded/dynalite.js";
import type { openHistory as OpenHistory } from "../../src/index.js";
import { emulated, emulatorClient } from "../support/dynamodb.js";

const application = "upgraded";
const holdMs = 60_000;

/** What differs between the two: file, what stands there, what is built instead. */
type Patch = readonly [file: string, from: RegExp, to: string];

/** There is no previous format yet: this source with its number lowered, and two attributes called otherwise. */
const old: readonly Patch[] = [
  ["model/worker-row.ts", /formatNumber = 1;/, "formatNumber = 0;"],
  ["model/worker-row.ts", /oldestFormatRead = 1;/, "oldestFormatRead = 0;"],
  ["store/dynamodb/fleet-codec.ts", /utilisation: number\(/g, "usage: number("],
  ["store/dynamodb/fleet-codec.ts", /item\["utilisation"\]/g, 'item["usage"]'],
  ["store/dynamodb/ownership.ts", /set\("tenure"/g, 'set("hold"'],
  ["store/lease-item.ts", /item\["tenure"\]/g, 'item["hold"]'],
];
const next: readonly Patch[] = [
  ["model/worker-row.ts", /oldestFormatRead = 1;/, "oldestFormatRead = 0;"],
  [
    "store/dynamodb/row-names.ts",
    /lease: new Map\(\), worker: new Map\(\)/,
    'lease: new Map([["tenure", "hold"]]), worker: new Map([["utilisation", "usage"]])',
  ],
];

const worker = `
const [build, label, endpoint] = process.argv.slice(2);
const { Worker, fixedPartitions } = await import("./" + build + "/index.js");
const { DynamoDBClient } = await import("@aws-sdk/client-dynamodb");
const say = (line) => process.stdout.write(JSON.stringify(line) + "\\n");
const worker = new Worker({
  application: "${application}", label, deployment: build, leaseDurationMs: 10000, deployHoldMs: ${String(holdMs)},
  checkpointIntervalMs: 0, source: fixedPartitions({ partitions: 6, turnIntervalMs: 200 }),
  dynamodb: { client: (defaults) => new DynamoDBClient({ ...defaults, endpoint, region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" } }) },
  onEvent: (event) => { if (!/^(beat-sent|batch|checkpointed)/.test(event.type)) say(event); },
});
process.once("SIGTERM", () => worker.stop());
const work = async (partition) => {
  for await (const { turn } of partition) say({ type: "turn", leaseKey: partition.leaseKey, turn });
};
try {
  for await (const partition of worker.partitions()) void work(partition);
} catch (error) {
  say({ type: "failed", message: error.message });
  process.exitCode = 1;
}
`;

interface Line {
  readonly by: string;
  readonly type: string;
  readonly leaseKey?: string;
  readonly turn?: number;
  readonly beat?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** A fleet of real processes on dynalite, upgraded and taken back under traffic. */
describe("a fleet across versions", function () {
  this.timeout(600_000);
  const root = path.join(import.meta.dirname, "../..");
  const lines: Line[] = [];
  const looks = new Set<() => void>();
  const running = new Map<
    string,
    { readonly child: ChildProcess; readonly exited: Promise<number | null> }
  >();
  let folder: string;
  let dynalite: Dynalite;
  let starts = 0;

  function build(name: string, patches: readonly Patch[]): void {
    const from = path.join(folder, `${name}-src`);
    cpSync(path.join(root, "src"), from, { recursive: true });
    for (const [file, what, to] of patches) {
      const text = readFileSync(path.join(from, file), "utf8");
      expect(text, file).to.match(what);
      writeFileSync(path.join(from, file), text.replace(what, to));
    }
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
    for (const file of readdirSync(from, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts")) continue;
      const output = path.join(folder, name, file.replace(/\.ts$/, ".js"));
      mkdirSync(path.dirname(output), { recursive: true });
      const text = readFileSync(path.join(from, file), "utf8");
      writeFileSync(output, ts.transpileModule(text, { compilerOptions }).outputText);
    }
  }

  before(async () => {
    mkdirSync(path.join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(path.join(root, ".cache/upgrade-"));
    writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(path.join(folder, "worker.mjs"), worker);
    build("old", old);
    build("new", next);
    dynalite = await startDynalite();
  });

  after(async () => {
    for (const { child, exited } of running.values()) {
      child.kill("SIGKILL");
      await exited;
    }
    await dynalite.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(version: "old" | "new"): string {
    const by = `${version}${String((starts += 1))}`;
    const child = spawn(
      process.execPath,
      ["--no-warnings", path.join(folder, "worker.mjs"), version, by, dynalite.endpoint],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    createInterface({ input: child.stdout }).on("line", (text) => {
      lines.push({ ...(JSON.parse(text) as Omit<Line, "by">), by });
      for (const look of looks) look();
    });
    const exited = new Promise<number | null>((resolve) => {
      child.once("close", (code) => {
        running.delete(by);
        resolve(code);
      });
    });
    running.set(by, { child, exited });
    return by;
  }

  function until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isSo()) return;
        looks.delete(look);
        resolve();
      };
      looks.add(look);
      look();
    });
  }

  const of = (type: string): readonly Line[] => lines.filter((line) => line.type === type);
  const works = (by: string) => () => lines.some((line) => line.by === by && line.type === "turn");

  /**
   * One of the version joins before each process is stopped, as deployments do that keep their capacity: the leaver's
   * leases go to the newest version, and the newcomer works before the next one goes. At its second beat a newcomer has
   * been read by all; a leaver that had not read it would give it nothing.
   */
  async function replaceAll(version: "old" | "new"): Promise<void> {
    for (const [by, { child, exited }] of [...running]) {
      const next = start(version);
      await until(() => lines.some(({ by: who, beat = 0 }) => who === next && beat >= 2));
      child.kill("SIGTERM");
      expect(await exited, `exit status of ${by}`).to.equal(0);
      await until(works(next));
    }
  }

  async function rows(table: string) {
    const client = emulatorClient(dynalite.endpoint);
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }));
    client.destroy();
    return Items;
  }
  const format = async (): Promise<string | undefined> =>
    (await rows(`${application}-fleet`)).find((row) => row["sk"]?.S === "meta")?.["format"]?.N;

  it("is upgraded one process at a time, taken back, and upgraded again", async () => {
    for (const by of [start("old"), start("old"), start("old")]) await until(works(by));
    await replaceAll("new");
    expect((await rows(application)).some((row) => row["hold"] !== undefined)).to.equal(true);
    expect((await rows(application)).filter((row) => row["tenure"] !== undefined)).to.deep.equal([]);
    await replaceAll("old");
    expect(await format()).to.equal("0");
    await replaceAll("new");
    expect(await format()).to.equal("0");
  });

  it("raises its format when the hold is over, and refuses the old version with a sentence", async () => {
    await until(() => of("format-raised").length > 0);
    expect(await format()).to.equal("1");
    const late = start("old");
    await until(() => lines.some((line) => line.by === late && line.type === "failed"));
    expect(of("failed").map(({ message }) => message)).to.have.length(1);
    expect(of("failed")[0]?.message).to.match(/format 1, written by a newer version.*up to 0/);
    await running.get(late)?.exited;
  });

  it("writes the new names from then on", async () => {
    await replaceAll("new");
    const live = (await rows(`${application}-fleet`)).filter(
      (row) => row["beat"] !== undefined && row["fencedBy"] === undefined,
    );
    expect(live.map((row) => [row["usage"], row["utilisation"] !== undefined])).to.deep.equal(
      live.map(() => [undefined, true]),
    );
    for (const row of await rows(application)) {
      expect([row["hold"], row["tenure"] !== undefined], row["leaseKey"]?.S).to.deep.equal([undefined, true]);
    }
  });

  it("lost nothing, fenced nobody, moved leases for stops and balance only, and has every epoch in its history", async () => {
    const leaseKeys = new Set(of("turn").map(({ leaseKey }) => leaseKey));
    expect(leaseKeys.size).to.equal(6);
    for (const leaseKey of leaseKeys) {
      const turns = new Set(
        of("turn").flatMap((line) => (line.leaseKey === leaseKey ? [line.turn ?? 0] : [])),
      );
      expect(Math.max(...turns), `turns of ${String(leaseKey)}`).to.equal(turns.size);
    }
    const { openHistory } = (await import(path.join(folder, "new/index.js"))) as {
      openHistory: typeof OpenHistory;
    };
    const history = openHistory({ application, dynamodb: emulated(dynalite.endpoint) });
    const verdict = await history.verify();
    history.close();
    expect(verdict.problems).to.deep.equal([]);
    expect(verdict.leases).to.equal(6);
    // Each lease has moved at every upgrade, and back.
    expect(verdict.epochs).to.be.greaterThan(6 * 4);
    expect(of("fenced")).to.deep.equal([]);
    const reasons = new Set(of("tenure-ended").map(({ reason }) => reason));
    expect([...reasons].filter((reason) => reason !== "handoff" && reason !== "stop")).to.deep.equal([]);
  });
});
