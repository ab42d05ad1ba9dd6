// `npm run spec`: checks the TLA+ models in spec/ with TLC. Every configuration must hold with every action taken, and
// every mutant (a configuration without one rule) must break what it names; and there must be enough of both.
//
//   npm run spec                          all of it, as a table
//   npm run spec -- --json                one object on the last line of stdout
//   npm run spec -- --only NAME           a configuration or a mutant, more than one if repeated
//   npm run spec -- --only NAME --trace   with the behaviour that broke it
//   npm run spec -- --large               the configurations in spec/configs/large instead, with all cores
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { fetchTlc } from "./spec/fetch.mjs";
import { partsOf, readConfigs, readMutants } from "./spec/models.mjs";
import { assertJava, runTlc } from "./spec/tlc.mjs";
import { faultsOf, faultsOfAll } from "./spec/verdict.mjs";

const flag = { type: "boolean", default: false };
const { values } = parseArgs({
  options: { json: flag, large: flag, trace: flag, only: { type: "string", multiple: true } },
});

/** CI has two cores, and most of a short run is Java's start: two runs side by side keep both at work. */
const how = values.large
  ? { runs: 1, workers: availableParallelism(), heap: "6g" }
  : { runs: 2, workers: 1, heap: "2g" };

async function checkConfig(model) {
  const run = await runTlc(model, { ...how, coverage: true });
  const { states, neverEnabled } = run;
  const faults = faultsOf(run);
  const ok = faults.length === 0;
  const said = ok ? `holds, ${states.toLocaleString("en")} states` : faults.join("; ");
  report({ ...run, good: ok, line: `${model.name}: ${said}` });
  return { good: ok, result: { name: model.name, states, ok, neverEnabled, ...(ok ? {} : { faults }) } };
}

async function checkMutant(model) {
  const run = await runTlc(model, { ...how, coverage: false });
  const by = run.violated ?? null;
  const killed = by === model.breaks;
  const said = killed ? `killed by ${by}` : `NOT killed by ${model.breaks}; broken: ${by ?? "nothing"}`;
  report({ ...run, good: killed, line: `${model.name}: ${said}` });
  return { good: killed, result: { name: model.name, killed, by } };
}

function report({ line, seconds, good, trace, completed, violated, output }) {
  console.error(`${good ? "ok  " : "FAIL"} ${line} (${seconds.toFixed(0)} s)`);
  if (!good && !completed && violated === undefined) console.error(output);
  else if (trace !== "" && (values.trace || !good)) console.error(trace);
}

/** What is missing is said in one sentence, before anything runs. */
async function prepared() {
  try {
    fetchTlc();
    await assertJava();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

/** What lasts a minute, liveness over all states, must not be begun last, with one core idle beside it. */
function longestFirst(tasks) {
  const rank = ({ kind, model }) =>
    partsOf(model.text).properties.length > 0 ? 0 : kind === "configs" ? 1 : 2;
  return tasks.toSorted((one, other) => rank(one) - rank(other));
}

/** Runs the tasks, `how.runs` at a time. */
async function inTurn(tasks) {
  const results = [];
  const waiting = tasks.values();
  const runner = async () => {
    for (const { kind, model, check } of waiting) results.push({ kind, ...(await check(model)) });
  };
  await Promise.all(Array.from({ length: how.runs }, runner));
  return results;
}

function resultsOf(kind) {
  return done
    .filter((one) => one.kind === kind)
    .map(({ result }) => result)
    .toSorted((one, other) => one.name.localeCompare(other.name));
}

function chosen(models) {
  return values.only === undefined ? models : models.filter(({ name }) => values.only.includes(name));
}

const configs = readConfigs(values.large ? "configs/large" : "configs");
const mutants = values.large ? [] : readMutants(configs);
const known = [...configs, ...mutants].map(({ name }) => name);
const unknown = values.only?.filter((name) => !known.includes(name)) ?? [];
if (unknown.length > 0) {
  console.error(
    `--only ${unknown.join(", ")}: no such configuration or mutant; there are ${known.join(", ")}`,
  );
  process.exit(1);
}

const began = performance.now();
await prepared();
const tasks = [
  ...chosen(configs).map((model) => ({ kind: "configs", model, check: checkConfig })),
  ...chosen(mutants).map((model) => ({ kind: "mutants", model, check: checkMutant })),
];
const done = await inTurn(longestFirst(tasks));
const summary = { configs: resultsOf("configs"), mutants: resultsOf("mutants") };
const isWhole = !values.large && values.only === undefined;
const faults = isWhole ? faultsOfAll(summary) : [];
for (const fault of faults) console.error(`FAIL ${fault}`);
const good = done.length > 0 && done.every((one) => one.good) && faults.length === 0;
console.error(`${((performance.now() - began) / 60_000).toFixed(1)} minutes`);
if (values.json) console.log(JSON.stringify(summary));
else printTable(summary);
process.exitCode = good ? 0 : 1;

function printTable(summary) {
  for (const { name, states, ok, faults } of summary.configs) {
    const why = ok ? "" : `  ${faults.join("; ")}`;
    console.log(`${name.padEnd(34)} ${ok ? "holds " : "FAILS "} ${String(states).padStart(9)} states${why}`);
  }
  for (const { name, killed, by } of summary.mutants) {
    console.log(`${name.padEnd(34)} ${killed ? "killed" : "ALIVE "} by ${by ?? "nothing"}`);
  }
  const states = summary.configs.reduce((sum, one) => sum + one.states, 0);
  const dead = summary.mutants.filter(({ killed }) => killed).length;
  console.log(
    `${summary.configs.length} configurations, ${states.toLocaleString("en")} states; ${dead} of ${summary.mutants.length} mutants killed`,
  );
}
