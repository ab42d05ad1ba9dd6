// The schedule: in every cell the subjects take turns against the same canned stream.
import { CannedServer } from "./canned-server.mjs";
import { runOnce } from "./run.mjs";
import { expectedMs, minutes } from "./schedule.mjs";
import { subjectsOf } from "./subjects.mjs";
import { cellOf } from "./summary.mjs";
import { takeTurns } from "./turns.mjs";

/**
 * @param cells those of cells.mjs that are wanted
 * @param wanted the names of the subjects
 * @param say told of every run, and how long the rest takes
 * @param onCell given each cell as soon as it is measured, so that what comes after cannot cost it
 * @returns the cells
 */
export async function measure(cells, wanted, { runs, windowMs, say, onCell }) {
  const { subjects, missing } = await subjectsOf(wanted);
  const measured = [];
  try {
    for (const [i, cell] of cells.entries()) {
      const leftMs = expectedMs(cells.slice(i), subjects, { runs, windowMs });
      say(`${cell.name}: cell ${i + 1} of ${cells.length}, about ${minutes(leftMs)} to go`);
      measured.push(await measureCell(cell, subjects, { missing, runs, windowMs, say }));
      await onCell(measured.at(-1));
    }
  } finally {
    for (const { close } of subjects) await close?.();
  }
  return measured;
}

async function measureCell(cell, subjects, { missing, runs, windowMs, say }) {
  const startedAt = performance.now();
  const server = await CannedServer.start(cell);
  try {
    const byName = new Map(subjects.map((subject) => [subject.name, subject]));
    const { rounds, failures } = await takeTurns(
      [...byName.keys()],
      runs,
      (name) => runOnce(byName.get(name), cell, server, windowMs),
      (text) => say(`${cell.name} ${text}`),
    );
    const tookMs = Math.round(performance.now() - startedAt);
    return { ...cellOf(cell, rounds, [...missing, ...failures]), windowMs, tookMs };
  } finally {
    await server.stop();
  }
}
