// What is promised of the planner, and where the figures of it stand.
import { verdictsOf } from "../verdicts.mjs";
import { cases, sizes } from "./sizes.mjs";

const milliseconds = (ms) => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
const times = (growth) => `${growth.toFixed(0)} ×`;
const largest = sizes.at(-1);

const cellOf = ({ cells }, kind, { leases } = largest) =>
  cells.find((cell) => cell.leases === leases && cell.case === kind);
/** The most of all cases and of every step of ten: one step that grows too fast is not made up for by another. */
const growthOf = (result, name) =>
  Math.max(
    ...cases.flatMap((kind) =>
      sizes
        .slice(1)
        .map((size, i) => cellOf(result, kind, size)[name] / cellOf(result, kind, sizes[i])[name]),
    ),
  );
const step = sizes[1].leases / sizes[0].leases;
/** Near linear: some of it is a sort, and a small fleet's figures are of less than a millisecond. */
const nearLinear = 1.5 * step;
const size = `${largest.leases.toLocaleString("en-US")} leases, ${largest.workers.toLocaleString("en-US")} workers`;

const promises = [
  {
    name: `plan(), ${size}, one joins`,
    figure: (result) => cellOf(result, "join").planMs,
    most: 1_000,
    show: milliseconds,
  },
  {
    name: "the same at rest, rows known from the round before",
    figure: (result) => cellOf(result, "steady").unchangedPlanMs,
    most: 100,
    show: milliseconds,
  },
  {
    name: "a round of the planner's control loop at rest, leases checkpointing",
    figure: (result) => cellOf(result, "steady").roundMs,
    most: 100,
    show: milliseconds,
  },
  {
    name: "the slowest of them, which scans the leases",
    figure: (result) => cellOf(result, "steady").slowestRoundMs,
    most: 100,
    show: milliseconds,
  },
  {
    name: "a round of another worker's control loop at rest",
    figure: (result) => cellOf(result, "steady").workerRoundMs,
    most: 100,
    show: milliseconds,
  },
  {
    name: `plan() with ${step} times the leases and workers, each step and case`,
    figure: (result) => growthOf(result, "planMs"),
    most: nearLinear,
    show: times,
  },
  {
    name: "a round of the planner's, the same",
    figure: (result) => growthOf(result, "roundMs"),
    most: nearLinear,
    show: times,
  },
];

/** Every promise with its figure. */
export const verdicts = (result) => verdictsOf(promises, result);
