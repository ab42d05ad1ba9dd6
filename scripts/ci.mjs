// `npm test`, then the suites that need more than Node and npm; each installs what it needs itself. A suite that
// cannot run has failed. It is left out only when told so by name, and then the whole run is not green:
//
//   node scripts/ci.mjs --skip "contract on DynamoDB Local"
import { parseArgs } from "node:util";
import { countsIn } from "./mocha-counts.mjs";
import { run } from "./run.mjs";

const suites = [
  { name: "npm test", args: ["test"] },
  { name: "contract on DynamoDB Local", args: ["run", "test:contract:dynamodb-local"] },
  { name: "integration on DynamoDB Local", args: ["run", "test:integration:dynamodb-local"] },
  { name: "integration on dynalite", args: ["run", "test:integration:dynalite"] },
  { name: "bad weather", args: ["run", "test:weather"] },
  { name: "a fleet across versions", args: ["run", "test:upgrade"] },
  { name: "integration on LocalStack", args: ["run", "test:localstack"] },
  { name: "targets in simulation", args: ["run", "test:simulation:targets"] },
];

const { values } = parseArgs({ options: { skip: { type: "string", multiple: true, default: [] } } });
const unknown = values.skip.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`--skip ${unknown.join(", ")}: no such suite`);
  process.exit(1);
}

/** Mocha's counts, with everything that is not plain success counted as failure. */
async function verdictOf({ args }) {
  const { code, output } = await run("npm", args);
  const { passing, pending, failing } = countsIn(output);
  const failed = failing + pending;
  const silent = failed === 0 && (code !== 0 || passing === 0);
  return { passed: passing, failed: silent ? 1 : failed };
}

const lines = [];
let passed = 0;
let failed = 0;

for (const suite of suites) {
  if (values.skip.includes(suite.name)) {
    lines.push(`left out by --skip: ${suite.name}`);
    continue;
  }
  console.log(`\n##### ${suite.name}`);
  const verdict = await verdictOf(suite);
  passed += verdict.passed;
  failed += verdict.failed;
  lines.push(`${suite.name}: ${verdict.passed} passed, ${verdict.failed} failed`);
}

console.log(`\n##### summary\n${lines.join("\n")}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || values.skip.length > 0 ? 1 : 0;
