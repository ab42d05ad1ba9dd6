// What is promised of the throughput, and where the figures of it stand.
import { verdictsOf } from "../verdicts.mjs";
import { headline, manyShards, smallRecords } from "./cells.mjs";

const times = (ratio) => `${ratio.toFixed(2)} ×`;

/** All but memory are ratios of records a CPU second. */
const promises = [
  {
    name: "the whole worker against the bare SDK loop, 1 KiB, full batches",
    of: { subjects: ["bareSdk", "leasehold"], cells: [headline] },
    figure: ({ ratios }) => ratios.toBareSdk,
    least: 3.5,
    show: times,
  },
  {
    name: "the same, with zeroCopy",
    of: { subjects: ["bareSdk", "leaseholdZeroCopy"], cells: [headline] },
    figure: ({ ratios }) => ratios.zeroCopyToBareSdk,
    least: 4.5,
    show: times,
  },
  {
    name: "against the Java KCL 3.5.1, the same work",
    of: { subjects: ["leasehold", "kcl"], cells: [headline] },
    figure: ({ ratios }) => ratios.toKcl,
    least: 2,
    show: times,
  },
  {
    name: "100 B records, full batches, against the bare SDK loop",
    of: { subjects: ["bareSdk", "leasehold"], cells: [smallRecords] },
    figure: ({ ratios }) => ratios.smallRecordsToBareSdk,
    least: 2,
    show: times,
  },
  {
    name: "resident memory at full load, against the KCL's",
    of: { subjects: ["leasehold", "kcl"], cells: [headline] },
    figure: ({ ratios }) => ratios.residentToKcl,
    most: 1 / 3,
    show: times,
  },
  {
    name: "64 shards against 4, 1 KiB, full batches",
    of: { subjects: ["leasehold"], cells: [headline, manyShards] },
    figure: ({ ratios }) => ratios.manyShardsToFew,
    least: 0.8,
    show: times,
  },
  {
    name: "the canned stream's share of a core, at most",
    of: { subjects: [], cells: [] },
    figure: ({ serverShare }) => serverShare,
    most: 0.1,
    show: (share) => `${(share * 100).toFixed(1)} %`,
  },
];

/**
 * Every promise, with its figure. One of a subject or a cell that --subjects or --only left out is none of the run's; one
 * whose subject was wanted and did not come through is not kept.
 */
export function verdicts(result) {
  const cells = result.cells.map(({ cell }) => cell);
  const isAsked = ({ of }) =>
    of.subjects.every((name) => result.subjects.includes(name)) &&
    of.cells.every((name) => cells.includes(name));
  return verdictsOf(promises.filter(isAsked), result);
}
