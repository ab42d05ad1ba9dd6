// The schedule: in every cell the subjects take turns, round by round, against the same canned stream.
import { CannedServer } from "./canned-server.mjs";
import { LostRecords, runOnce } from "./run.mjs";
import { subjectsOf } from "./subjects.mjs";
import { cellOf, summary } from "./summary.mjs";

/** A machine that somebody else keeps busy can make any of them lose its leases: a run that fails is made once more. */
const triesAtMost = 2;

/**
 * @param cells those of cells.mjs that are wanted
 * @param wanted the names of the subjects
 * @param say told of every run
 * @returns what the command prints
 */
export async function measure(cells, wanted, { runs, windowMs, say }) {
  const startedAt = performance.now();
  const subjects = await subjectsOf(wanted);
  const measured = [];
  try {
    for (const cell of cells) measured.push(await measureCell(cell, subjects, { runs, windowMs, say }));
  } finally {
    for (const { close } of subjects) await close?.();
  }
  return {
    ...summary(measured),
    cells: measured,
    subjects: wanted,
    failures: measured.flatMap(({ failures }) => failures),
    isComplete: measured.every((cell) => isComplete(cell, wanted)),
    windowMs,
    tookMs: Math.round(performance.now() - startedAt),
  };
}

/** Whether every subject that is wanted came through in every round, and none has lost records in any run. */
export function isComplete({ runs, failures }, wanted) {
  const hasAll = runs.every((round) => wanted.every((name) => round[name] !== undefined));
  return hasAll && !failures.some(({ isLoss }) => isLoss);
}

async function measureCell(cell, subjects, { runs, windowMs, say }) {
  const server = await CannedServer.start(cell);
  const rounds = [];
  const failures = [];

  async function attempt(subject, what) {
    for (let tries = 1; ; tries++) {
      try {
        const result = await runOnce(subject, cell, server, windowMs);
        say(`${what}: ${told(result)}`);
        return result;
      } catch (error) {
        // One subject's failure is no other's: it has no figure, and the rest goes on.
        const isLoss = error instanceof LostRecords;
        failures.push({ run: what, isLoss, error: error.message });
        say(`${what} FAILED: ${error.message}`);
        if (isLoss || tries >= triesAtMost) return undefined;
      }
    }
  }

  try {
    for (let round = 1; round <= runs; round++) {
      const results = {};
      for (const subject of subjects) {
        results[subject.name] = await attempt(subject, `${cell.name} ${subject.name} ${round}/${runs}`);
      }
      rounds.push(results);
    }
  } finally {
    await server.stop();
  }
  return cellOf(cell, rounds, failures);
}

function told({ recordsPerCpuSecond, recordsPerSecond, residentBytes, serverShare, repeated }) {
  const thousands = (value) => `${(value / 1_000).toFixed(1)} k`;
  const mebibytes = (residentBytes / 2 ** 20).toFixed(0);
  return `${thousands(recordsPerCpuSecond)} records a CPU second, ${thousands(recordsPerSecond)} a second, ${mebibytes} MiB; server ${(serverShare * 100).toFixed(1)} % of a core${repeated === undefined ? "" : `; ${repeated} records twice`}`;
}
