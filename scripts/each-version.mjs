// Test files on one version of something after the other: what `npm run test:wire` and `npm run test:nodes` have in common.
import { parseArgs } from "node:util";
import { countsIn } from "./mocha-counts.mjs";
import { run } from "./run.mjs";

/**
 * Ends the process with 1 where a version is not green. `--only VERSION` asks for one of them.
 * @param {object} options what it is for people, its versions, the test files, and `envOf(version)`: the environment in which they
 * meet it, or undefined, having told why, where they would not
 */
export async function testOnEach({ what, versions, cases, envOf }) {
  const { values } = parseArgs({ options: { only: { type: "string" } } });
  if (values.only !== undefined && !versions.includes(values.only)) {
    console.error(`--only ${values.only}: no such version; there are ${versions.join(", ")}`);
    process.exit(1);
  }
  const failed = [];
  let passing = 0;
  for (const version of versions.filter((one) => values.only === undefined || one === values.only)) {
    console.log(`\n=== ${what} ${version}`);
    const env = await envOf(version);
    if (env === undefined) {
      failed.push(version);
      continue;
    }
    const { code, output } = await run("mocha", ["--config", ".mocharc.suite.json", ...cases], { env });
    const counts = countsIn(output);
    passing += counts.passing;
    if (code !== 0 || counts.pending > 0 || counts.passing === 0) failed.push(version);
  }
  console.log(`\n=== total passing: ${String(passing)}`);
  console.log(failed.length === 0 ? "=== every version is green" : `=== failed: ${failed.join(", ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
