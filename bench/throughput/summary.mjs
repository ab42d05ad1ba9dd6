// What the rounds of a cell come to, and what all cells do.
import { headline, manyShards, smallRecords, subjectNames } from "./cells.mjs";

const figures = ["recordsPerCpuSecond", "recordsPerSecond", "residentBytes", "serverShare"];

/** What the result says first: the figures of the one cell, and how it stands to others. */
export function summary(measured) {
  const of = (name) => measured.find(({ cell }) => cell === name);
  const head = of(headline);
  return {
    ...Object.fromEntries(subjectNames.map((name) => [name, head?.[name] ?? null])),
    ratios: {
      ...(head?.ratios ?? { toBareSdk: null, zeroCopyToBareSdk: null, toKcl: null }),
      smallRecordsToBareSdk: of(smallRecords)?.ratios.toBareSdk ?? null,
      residentToKcl: ratio(head?.leasehold, head?.kcl, "residentBytes"),
      manyShardsToFew: ratio(of(manyShards)?.leasehold, head?.leasehold),
    },
    runs: head?.runs ?? [],
    serverShare: Math.max(0, ...measured.map(({ serverShare }) => serverShare)),
  };
}

/** Whether every subject that is wanted came through in every round, and none has lost records in any run. */
export function isComplete({ runs, failures }, wanted) {
  const hasAll = runs.every((round) => wanted.every((name) => round[name] !== undefined));
  return hasAll && !failures.some(({ isLoss }) => isLoss);
}

/** Medians of what the subjects did round by round, and how they stand to each other. */
export function cellOf(cell, rounds, failures) {
  const hasLost = (name) => failures.some(({ subject, isLoss }) => isLoss && subject === name);
  const medians = Object.fromEntries(
    subjectNames.map((name) => [name, hasLost(name) ? null : medianOf(rounds, name)]),
  );
  const { bareSdk, leasehold, leaseholdZeroCopy, kcl } = medians;
  const { name, ...shape } = cell;
  return {
    cell: name,
    ...shape,
    ...medians,
    ratios: {
      toBareSdk: ratio(leasehold, bareSdk),
      zeroCopyToBareSdk: ratio(leaseholdZeroCopy, bareSdk),
      toKcl: ratio(leasehold, kcl),
    },
    serverShare: Math.max(0, ...Object.values(medians).map((subject) => subject?.serverShare ?? 0)),
    failures,
    runs: rounds,
  };
}

/** Medians, between what they lie, and of how many rounds; null where no run of the subject came through. */
function medianOf(rounds, name) {
  const results = rounds.map((round) => round[name]).filter((result) => result !== undefined);
  if (results.length === 0) return null;
  const values = Object.fromEntries(
    figures.map((figure) => [figure, results.map((result) => result[figure])]),
  );
  return {
    ...Object.fromEntries(figures.map((figure) => [figure, median(values[figure])])),
    rounds: results.length,
    spread: [Math.min(...values.recordsPerCpuSecond), Math.max(...values.recordsPerCpuSecond)],
  };
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function ratio(one, other, figure = "recordsPerCpuSecond") {
  if (!one || !other) return null;
  return Math.round((one[figure] / other[figure]) * 100) / 100;
}
