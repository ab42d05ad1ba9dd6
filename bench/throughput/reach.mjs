// What is promised of the throughput, and where the figures of it stand.
import { verdictsOf } from "../verdicts.mjs";

const times = (ratio) => `${ratio.toFixed(2)} ×`;

/** All but memory are ratios of records a CPU second. */
const promises = [
  {
    name: "the whole worker against the bare SDK loop, 1 KiB, full batches",
    figure: ({ ratios }) => ratios.toBareSdk,
    least: 3.5,
    show: times,
  },
  {
    name: "the same, with zeroCopy",
    figure: ({ ratios }) => ratios.zeroCopyToBareSdk,
    least: 4.5,
    show: times,
  },
  {
    name: "against the Java KCL 3.5.1, the same work",
    figure: ({ ratios }) => ratios.toKcl,
    least: 2,
    show: times,
  },
  {
    name: "100 B records, full batches, against the bare SDK loop",
    figure: ({ ratios }) => ratios.smallRecordsToBareSdk,
    least: 2,
    show: times,
  },
  {
    name: "resident memory at full load, against the KCL's",
    figure: ({ ratios }) => ratios.residentToKcl,
    most: 1 / 3,
    show: times,
  },
  {
    name: "64 shards against 4, 1 KiB, full batches",
    figure: ({ ratios }) => ratios.manyShardsToFew,
    least: 0.8,
    show: times,
  },
  {
    name: "the canned stream's share of a core, at most",
    figure: ({ serverShare }) => serverShare,
    most: 0.1,
    show: (share) => `${(share * 100).toFixed(1)} %`,
  },
];

/** Every promise of which something was measured, with its figure; what --only left out has none. */
export const verdicts = (result) => verdictsOf(promises, result).filter(({ value }) => value !== null);
