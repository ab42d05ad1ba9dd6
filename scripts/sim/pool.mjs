import { fork } from "node:child_process";
import path from "node:path";

const program = path.join(import.meta.dirname, "seed-process.mjs");
/** What a seed makes is garbage within milliseconds: the more room it has, the less of it is ever copied. MiB. */
const youngGeneration = "--max-semi-space-size=32";

/**
 * Runs seeds in several processes. A process that dies, or that says nothing for too long, has crashed in its seed:
 * that is an outcome like any other, and a new process goes on with the next seed.
 *
 * @param {object} work
 * @param {string} work.module file of the module whose `runSeed(seed, { hours })` is to run
 * @param {boolean} work.hours whether one seed in 50 is an hour long
 * @param {number} work.processes
 * @param {number} work.limitMs how long one seed may take
 * @param {() => number | undefined} work.next the next seed; undefined when there are no more
 * @param {(outcome: object) => void} work.onOutcome
 */
export async function runSeeds({ processes, ...work }) {
  await Promise.all(Array.from({ length: processes }, () => runSome(work)));
}

/** One process after the other, until there are no more seeds. */
async function runSome(work) {
  let isMore = true;
  while (isMore) isMore = await runInOneProcess(work);
}

/** @returns whether there may be more seeds, after a crash */
function runInOneProcess({ module, hours, limitMs, next, onOutcome }) {
  return new Promise((resolve, reject) => {
    const child = fork(program, [module, hours ? "hours" : "no-hours"], {
      execArgv: [...process.execArgv, youngGeneration],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    let seed;
    let watchdog;
    let why;
    const giveNext = () => {
      clearTimeout(watchdog);
      seed = next();
      if (seed === undefined) {
        child.disconnect();
        return;
      }
      watchdog = setTimeout(() => {
        why = `no end within ${String(limitMs / 1_000)} s`;
        child.kill("SIGKILL");
      }, limitMs);
      child.send(seed);
    };
    child.on("message", (message) => {
      if (message !== "ready") onOutcome(message);
      giveNext();
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearTimeout(watchdog);
      if (seed !== undefined) {
        const message = why ?? `the process ended with ${String(signal ?? code)}`;
        onOutcome({ seed, violation: { invariant: "crash", message } });
        resolve(true);
      } else if (code === 0) resolve(false);
      else
        reject(new Error(`a process for seeds ended with ${String(signal ?? code)} before its first seed`));
    });
  });
}
