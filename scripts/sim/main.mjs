import { availableParallelism } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { readArguments, UsageError } from "./arguments.mjs";
import { ensureBuilt } from "../ensure-built.mjs";
import { runSeeds } from "./pool.mjs";
import { tableOf, Tally } from "./tally.mjs";

const shipped = path.join(import.meta.dirname, "../../dist/testing/seed-run.js");
const progressMs = 5_000;
/** An hour-long seed takes seconds; one that takes so long hangs. */
const limitMs = 600_000;

/**
 * @param {readonly string[]} argv
 * @param {object} [how]
 * @param {string} [how.module] file that exports `runSeed` and `coverageNames`; the build's by default
 * @returns the exit code: 0 all held, 1 something did not, 2 called wrongly
 */
export async function main(argv, { module } = {}) {
  let wish;
  try {
    wish = readArguments(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`npm run sim: ${error.message}`);
    return 2;
  }
  if (module === undefined) ensureBuilt();
  const file = module ?? shipped;
  const simulation = await import(pathToFileURL(file).href);
  return wish.trace ? await trace(simulation, wish) : await runAll(simulation, file, wish);
}

async function trace({ runSeed }, { seed, hours }) {
  const onLine = (line) => process.stdout.write(`${line}\n`);
  const { violation } = await runSeed(seed, { hours, trace: { onLine } });
  if (violation === undefined) return 0;
  console.error(`seed ${String(seed)}: ${firstLine(violation.message)}`);
  return 1;
}

async function runAll({ coverageNames, coverageNamesWithoutHours = coverageNames }, module, wish) {
  const isAlone = wish.seed !== undefined;
  const names = wish.hours ? coverageNames : coverageNamesWithoutHours;
  const tally = new Tally(isAlone ? [] : names);
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1_000;
  const progress = setInterval(() => {
    const rate = (tally.seeds / seconds()).toFixed(1);
    console.error(
      `${String(tally.seeds)} seeds, ${rate} a second, ${String(tally.violations.length)} violations`,
    );
  }, progressMs);
  try {
    await runSeeds({
      module,
      hours: wish.hours,
      limitMs,
      processes: isAlone ? 1 : availableParallelism(),
      next: isAlone ? once(wish.seed) : seedsOf(wish, seconds),
      onOutcome: (outcome) => {
        tally.add(outcome);
        if (outcome.violation !== undefined) tell(outcome, wish.hours);
      },
    });
  } finally {
    clearInterval(progress);
  }
  const report = tally.report(seconds());
  console.log(wish.json ? JSON.stringify(report) : tableOf(report));
  for (const name of tally.neverExercised) console.error(`never exercised: ${name}`);
  return tally.violations.length + tally.neverExercised.length > 0 ? 1 : 0;
}

function tell({ seed, violation }, hours) {
  const flags = `--seed ${String(seed)}${hours ? "" : " --no-hours"} --trace`;
  console.error(`seed ${String(seed)}: ${violation.message}\nto repeat it: npm run sim -- ${flags}`);
}

function once(seed) {
  let isGiven = false;
  return () => {
    if (isGiven) return undefined;
    isGiven = true;
    return seed;
  };
}

/** Seeds in their order, until there were enough of them and the time is up. */
function seedsOf({ from, seeds, minutes }, seconds) {
  let seed = from;
  let given = 0;
  return () => {
    if (given >= seeds && seconds() >= minutes * 60) return undefined;
    given++;
    return seed++;
  };
}

function firstLine(text) {
  return text.split("\n")[0];
}
