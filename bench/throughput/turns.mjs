// The subjects of a cell take turns, round by round, and one that fails is no other's failure.
import { LostRecords } from "./run.mjs";

/** A machine that somebody else keeps busy can make any of them lose its leases: a run that fails is made once more. */
const triesAtMost = 2;

/**
 * A subject whose run failed as often as it may, or that has lost records, has no more turns: each failure takes minutes.
 * @param subjects their names
 * @param run makes one run of the one that is named
 * @returns { rounds: by name what its run brought, failures: { subject, round, isLoss, error } }
 */
export async function takeTurns(subjects, runs, run, say) {
  const rounds = [];
  const failures = [];
  const out = new Set();

  async function turn(subject, round) {
    for (let tries = 1; tries <= triesAtMost; tries++) {
      const what = `${subject} ${round}/${runs}${tries === 1 ? "" : ", made again"}`;
      try {
        const result = await run(subject);
        say(`${what}: ${told(result)}`);
        return result;
      } catch (error) {
        const isLoss = error instanceof LostRecords;
        failures.push({ subject, round, isLoss, error: error.message });
        say(`${what} FAILED: ${error.message}${error.output ? `\n${error.output}` : ""}`);
        if (isLoss) break;
      }
    }
    out.add(subject);
    return undefined;
  }

  for (let round = 1; round <= runs; round++) {
    const results = {};
    for (const subject of subjects) if (!out.has(subject)) results[subject] = await turn(subject, round);
    rounds.push(results);
  }
  return { rounds, failures };
}

function told({ recordsPerCpuSecond, recordsPerSecond, residentBytes, serverShare, repeated }) {
  const thousands = (value) => `${(value / 1_000).toFixed(1)} k`;
  const mebibytes = (residentBytes / 2 ** 20).toFixed(0);
  return `${thousands(recordsPerCpuSecond)} records a CPU second, ${thousands(recordsPerSecond)} a second, ${mebibytes} MiB; server ${(serverShare * 100).toFixed(1)} % of a core${repeated === undefined ? "" : `; ${repeated} records twice`}`;
}
