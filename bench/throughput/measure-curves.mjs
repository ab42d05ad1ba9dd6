// Every point of the curves that are wanted, round by round.
import { CannedServer } from "./canned-server.mjs";
import { LostRecords, runOnce } from "./run.mjs";
import { leasehold } from "./subjects.mjs";
import { median } from "./summary.mjs";

/** As in the cells, a run that fails is made once more, unless records were lost. */
const triesAtMost = 2;

/**
 * @param onCurve given each curve of which every point came through, as soon as it is measured
 * @returns for each curve { name, points: [{ value, … medians and runs of its figures }], runs, windowMs }, and what failed
 */
export async function measureCurves(curves, { runs, windowMs, say, onCurve }) {
  const startedAt = performance.now();
  const measured = [];
  const failures = [];

  async function attempt(curve, value, what) {
    for (let tries = 1; tries <= triesAtMost; tries++) {
      try {
        const result = await runPoint(curve, value, windowMs);
        const repeated = result.repeated === undefined ? "" : `; ${result.repeated} records twice`;
        say(`${what}: ${curve.figures.map((figure) => `${figure} ${result[figure]}`).join(", ")}${repeated}`);
        return result;
      } catch (error) {
        const isLoss = error instanceof LostRecords;
        failures.push({ run: what, isLoss, error: error.message });
        say(`${what} FAILED: ${error.message}`);
        if (isLoss) break;
      }
    }
    return undefined;
  }

  for (const curve of curves) {
    const points = [];
    // In turns, so that what else the machine does meets all of them alike.
    const results = new Map(curve.values.map((value) => [value, []]));
    for (let round = 1; round <= runs; round++) {
      for (const value of curve.values) {
        const what = `${curve.name} ${value} ${round}/${runs}`;
        const result = await attempt(curve, value, what);
        if (result !== undefined) results.get(value).push(result);
      }
    }
    for (const [value, all] of results) if (all.length > 0) points.push(pointOf(curve, value, all));
    const isWhole = [...results.values()].every((all) => all.length === runs);
    measured.push({ name: curve.name, points, runs, windowMs, isWhole });
    if (isWhole) await onCurve(measured.at(-1));
  }
  return {
    curves: measured,
    failures,
    isComplete: measured.every(({ isWhole }) => isWhole),
    tookMs: Math.round(performance.now() - startedAt),
  };
}

async function runPoint({ stream, options = () => ({}) }, value, windowMs) {
  const cell = stream(value);
  const server = await CannedServer.start(cell);
  try {
    return await runOnce(leasehold("leasehold", options(value)), cell, server, windowMs);
  } finally {
    await server.stop();
  }
}

function pointOf({ figures }, value, results) {
  const of = figures.map((figure) => {
    const all = results.map((result) => result[figure]);
    return [figure, { median: Math.round(median(all)), spread: [Math.min(...all), Math.max(...all)] }];
  });
  return { value, ...Object.fromEntries(of) };
}
