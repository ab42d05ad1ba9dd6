// What is promised of the planner, and where the figures of it stand.
import { verdictsOf } from "../verdicts.mjs";
import { sizes, step } from "./sizes.mjs";

const milliseconds = (ms) => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
const times = (growth) => `${growth.toFixed(1)} ×`;
const largest = sizes.at(-1);

const cellOf = ({ cells }, kind) =>
  cells.find(({ leases, case: other }) => leases === largest.leases && other === kind);
const mostGrowth = ({ growth }, name) =>
  Math.max(...growth.filter(({ to }) => to === largest.leases).map((figures) => figures[name]));
/** Near linear: the logarithm of a sort is in it, and caches that no longer hold all. */
const nearLinear = 1.6 * step;
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
    name: "a round of the planner's control loop at rest",
    figure: (result) => cellOf(result, "steady").roundMs,
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
    name: `plan() with ${step} times the leases and workers, at most`,
    figure: (result) => mostGrowth(result, "planMs"),
    most: nearLinear,
    show: times,
  },
  {
    name: "a round of the planner's, the same",
    figure: (result) => mostGrowth(result, "roundMs"),
    most: nearLinear,
    show: times,
  },
];

/** Every promise with its figure. */
export const verdicts = (result) => verdictsOf(promises, result);
