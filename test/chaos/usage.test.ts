import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { withoutCoverage } from "../support/built.js";

const script = fileURLToPath(new URL("../../scripts/chaos.mjs", import.meta.url));

function run(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const how = { encoding: "utf8", env: withoutCoverage() } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], how);
  expect(stdout).to.equal("");
  return { status, said: stderr.trim() };
}

describe("npm run chaos, called wrongly", () => {
  const mistakes: readonly (readonly [args: readonly string[], says: string])[] = [
    [
      ["--minutes", "none"],
      "--minutes none: it must be a number from 0.5 to 1440, as in --minutes 3; leave it out for 3",
    ],
    [
      ["--minutes", "0.1"],
      "--minutes 0.1: it must be a number from 0.5 to 1440, as in --minutes 3; leave it out for 3",
    ],
    [
      ["--seed", "1.5"],
      "--seed 1.5: it must be an integer from 0 up, of 15 digits at most, as in --seed 7; leave it out for 1",
    ],
    [["--seed"], "--seed has no value: put one behind it, as in --seed 3"],
    [["--seed", "--json"], "--seed has no value: put one behind it, as in --seed 3"],
    [["--json=yes"], "--json is given the value yes: it takes none; leave =yes out"],
    [["--seed", "1", "--seed=2"], "--seed is given twice: leave one of them out"],
    [["--workers", "3"], "--workers is no flag: there are --minutes, --seed, --json; leave it out"],
    [["3"], "3 is no flag: give --minutes, --seed, --json and their values only"],
  ];
  for (const [args, says] of mistakes) {
    it(`says what is wrong with ${args.join(" ")}, with status 2, before anything is started`, () => {
      expect(run(...args)).to.deep.equal({ status: 2, said: `npm run chaos: ${says}` });
    });
  }
});
