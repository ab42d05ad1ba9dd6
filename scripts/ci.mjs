// `npm test`, then the suites that need more than Node and npm; each installs what it needs itself. A suite that
// cannot run has failed. It is left out only when told so by name, and then the whole run is not green:
//
//   node scripts/ci.mjs --skip "contract on DynamoDB Local"
import { parseArgs } from "node:util";
import { ofChaos, ofHour, ofMocha, ofModel, ofMutants, ofSeeds, ofTraces } from "./ci-verdicts.mjs";
import { run } from "./run.mjs";

const suites = [
  { name: "npm test", args: ["test"] },
  { name: "contract on DynamoDB Local", args: ["run", "test:contract:dynamodb-local"] },
  { name: "integration on DynamoDB Local", args: ["run", "test:integration:dynamodb-local"] },
  { name: "integration on dynalite", args: ["run", "test:integration:dynalite"] },
  { name: "bad weather", args: ["run", "test:weather"] },
  { name: "a fleet across versions", args: ["run", "test:upgrade"] },
  { name: "integration on LocalStack", args: ["run", "test:localstack"] },
  { name: "wire formats on older SDKs", args: ["run", "test:wire"] },
  { name: "other versions of Node", args: ["run", "test:nodes"] },
  { name: "targets in simulation", args: ["run", "test:simulation:targets"] },
  { name: "the model, by TLC", args: ["run", "spec", "--", "--json"], verdict: ofModel },
  {
    name: "traces of the code in the model",
    args: ["run", "spec:traces", "--", "--json"],
    verdict: ofTraces,
  },
  { name: "mutants of the code", args: ["run", "mutants", "--", "--json"], verdict: ofMutants },
  // After those of `npm test`: five minutes of two cores.
  {
    name: "seeds",
    args: ["run", "sim", "--", "--from", "301", "--seeds", "1700", "--no-hours", "--json"],
    verdict: ofSeeds(1_700),
  },
  // An hour of a large fleet takes a minute of computing: one of them here, one seed in 50 elsewhere.
  { name: "an hour, seed 50", args: ["run", "sim", "--", "--seed", "50", "--json"], verdict: ofHour },
  {
    name: "chaos",
    args: ["run", "chaos", "--", "--minutes", "3", "--seed", "1", "--json"],
    verdict: ofChaos,
  },
];

const { values } = parseArgs({ options: { skip: { type: "string", multiple: true, default: [] } } });
const unknown = values.skip.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`--skip ${unknown.join(", ")}: no such suite`);
  process.exit(1);
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
  const verdict = (suite.verdict ?? ofMocha)(await run("npm", suite.args));
  passed += verdict.passed;
  failed += verdict.failed;
  lines.push(`${suite.name}: ${verdict.passed} passed, ${verdict.failed} failed`);
  // Whoever reads the log of a whole run reads its end.
  for (const failure of verdict.failures) lines.push(failure.replaceAll(/^/gm, "    "));
}

console.log(`\n##### summary\n${lines.join("\n")}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || values.skip.length > 0 ? 1 : 0;
