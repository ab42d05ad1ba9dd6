// How long a run takes, and which cells need none.
import { isComplete } from "./summary.mjs";

/** A canned stream lays out its bodies, a subject ends. */
const betweenMs = 1_500;
/** On a machine that does nothing else. A subject is started, reads every shard, warms up and is measured. */
export function expectedMs(cells, subjects, { runs, windowMs }) {
  const ofRun = (cell, { startMs, warmUpMs }) =>
    startMs + firstAnswersMs(cell) + warmUpMs + windowMs + betweenMs;
  return cells
    .flatMap((cell) => subjects.map((subject) => runs * ofRun(cell, subject)))
    .reduce((sum, ms) => sum + ms, 0);
}

/** In which the slowest subject, the bare loop, reads an answer of every shard: so much a record, and so much a byte. */
const firstAnswersMs = ({ shards, size, recordBytes }) => shards * size * (0.003 + recordBytes * 0.00001);

export const minutes = (ms) => `${Math.ceil(ms / 60_000)} min`;

/**
 * Whether a cell that was kept is what this run would measure: of the same sources, which a commit with changes does not
 * say, and no less of it.
 */
export function isMeasured(cell, { commit, runs, windowMs, subjects }) {
  return (
    cell?.measured?.commit === commit &&
    /^[0-9a-f]+$/.test(commit) &&
    cell.windowMs === windowMs &&
    cell.runs.length >= runs &&
    isComplete(cell, subjects)
  );
}
