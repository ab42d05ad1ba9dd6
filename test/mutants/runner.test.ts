import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { withoutCoverage } from "../support/built.js";

const script = fileURLToPath(new URL("../../scripts/mutants.mjs", import.meta.url));
const folder = fileURLToPath(new URL("./fixtures", import.meta.url));

interface Outcome {
  readonly baseline: boolean;
  readonly mutants: readonly {
    readonly name: string;
    readonly killed: boolean;
    readonly why?: string;
  }[];
}

async function run(): Promise<{ readonly code: number; readonly stdout: string }> {
  const child = spawn(process.execPath, [script, "--folder", folder, "--json"], {
    stdio: ["ignore", "pipe", "ignore"],
    env: withoutCoverage(),
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const [code] = (await once(child, "close")) as [number];
  return { code, stdout };
}

describe("the run of the mutants", function () {
  this.timeout(240_000);

  it("kills what is noticed, by the title that failed, leaves to the model what it kills, and fails, saying why, for what does not apply, does not compile, is unhappy, breaks a test down, is in no model or is noticed by nothing", async () => {
    const { code, stdout } = await run();
    const { baseline, mutants } = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Outcome;
    expect(code).to.equal(1);
    expect(baseline).to.equal(true);
    const found = Object.fromEntries(mutants.map(({ name, killed, why }) => [name, killed ? "killed" : why]));
    expect(Object.keys(found)).to.have.length(8);
    const by = "the verification of a history finds a hole, and says which epochs";
    expect(mutants.find(({ name }) => name === "killed")).to.deep.equal({
      name: "killed",
      killed: true,
      by,
      seeds: null,
    });
    expect(mutants.find(({ name }) => name === "in-the-model")).to.deep.include({
      killed: true,
      by: "spec prepare-outside-the-condition",
    });
    expect(found["does-not-apply"]).to.match(/^it does not apply: hunk 1 of .* stands nowhere/);
    expect(found["does-not-compile"]).to.match(/^it does not compile: src\/model\/history-verify\.ts:50: /);
    expect(found["unhappy"]).to.match(/^it fails on the happy path: /);
    expect(found["breaks-down"]).to.match(/broke down: broken/);
    expect(found["not-in-the-model"]).to.equal("there is no spec/mutants/there-is-no-such-mutant.json");
    expect(found["nothing-notices"]).to.match(/passes$/);
  });
});
