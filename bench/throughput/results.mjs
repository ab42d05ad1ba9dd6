// What the bench has measured, kept beside the page that is made of it: cell by cell, as each is measured.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pretty } from "../pretty.mjs";
import { cells as allCells, subjectNames } from "./cells.mjs";
import { curves as allCurves } from "./curves.mjs";
import { flamePicture } from "./flame.mjs";
import { isComplete, summary } from "./summary.mjs";

export const folder = path.join(import.meta.dirname, "../../docs/benchmarks");
const files = {
  cells: path.join(folder, "throughput.json"),
  curves: path.join(folder, "throughput-curves.json"),
};
export const flame = path.join(folder, "throughput-flame.svg");

/** The cells that were measured so far, in the order of all. */
export const keptCells = () => read(files.cells)?.cells ?? [];

/** Those that were measured so far, in the order of all. */
export const keptCurves = () => read(files.curves)?.curves ?? [];

/** Puts a cell in the place of the one before. It says when it was measured, and of which sources. */
export async function keepCell(rig, cell) {
  const measured = { ...cell, measured: measuredBy(rig) };
  await write(files.cells, { ...rig, ...resultOf(withCell(keptCells(), measured), subjectNames) });
}

/** @returns those that are kept, in the order of all */
export function withCell(kept, cell) {
  return allCells.flatMap(({ name }) =>
    name === cell.cell ? cell : kept.filter((other) => other.cell === name),
  );
}

/** What the command prints of cells that were measured, by this run or before. */
export function resultOf(cells, subjects) {
  return {
    ...summary(cells),
    cells,
    subjects,
    failures: cells.flatMap(({ cell, failures }) => failures.map((failure) => ({ cell, ...failure }))),
    isComplete: cells.every((cell) => isComplete(cell, subjects)),
    tookMs: cells.reduce((sum, { tookMs }) => sum + tookMs, 0),
  };
}

export async function keepCurve(rig, curve) {
  const measured = { ...curve, measured: measuredBy(rig) };
  const all = allCurves.flatMap(({ name }) =>
    name === curve.name ? measured : keptCurves().filter((kept) => kept.name === name),
  );
  await write(files.curves, { ...rig, curves: all });
}

const measuredBy = ({ date, versions: { commit } }) => ({ date, commit });

/** Where the worker's time goes, of a profile of its. */
export function keepFlame(profile) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(flame, flamePicture("A worker at full load: 1 KiB records, full batches, 4 shards", profile));
}

function read(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** Whole or not at all: a run that is broken off leaves what was kept before. */
async function write(file, value) {
  mkdirSync(folder, { recursive: true });
  const text = await pretty(JSON.stringify(value), "json");
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
