// What is tried of how the worker's options change what it gets through: one option at a time, all else as it is by default.

const kibibyte = 1_024;
const mebibyte = 2 ** 20;
const stream = (shards, limit, recordBytes = kibibyte) => ({ recordBytes, limit, size: limit, shards });

/** Each: what is changed, how it is shown, on which stream, with which options, and which figures it is about. */
export const curves = [
  {
    name: "maxRecords",
    title: "maxRecords: records of one read",
    values: [100, 250, 500, 1_000, 2_500, 5_000, 10_000],
    stream: (value) => stream(4, value),
    figures: ["recordsPerCpuSecond"],
    about: "1 KiB records, 4 shards",
  },
  {
    name: "wire",
    title: "wire: how records are read",
    values: ["auto", "json", "sdk"],
    stream: () => stream(4, 10_000),
    options: (wire) => ({ source: { wire } }),
    figures: ["recordsPerCpuSecond"],
    about: "1 KiB records, full batches, 4 shards; auto is CBOR here",
  },
  {
    name: "prefetchTotalBytes",
    title: "prefetchTotalBytes: MiB read ahead",
    values: [1, 4, 16, 64, 256],
    stream: () => stream(64, 10_000),
    options: (value) => ({ source: { prefetchTotalBytes: value * mebibyte } }),
    figures: ["recordsPerCpuSecond", "residentBytes"],
    about: "1 KiB records, full batches, 64 shards",
  },
  {
    name: "maxConcurrentBatches",
    title: "maxConcurrentBatches, where a batch waits for 50 ms",
    values: [1, 2, 4, 8, 16, 32, 64],
    stream: () => stream(64, 500),
    options: (maxConcurrentBatches) => ({ worker: { maxConcurrentBatches }, pauseMs: 50 }),
    figures: ["recordsPerSecond"],
    about: "1 KiB records, 500 a read, 64 shards",
  },
  {
    name: "processes",
    title: "processes, each with a thread of its own",
    values: [1, 2],
    stream: () => stream(64, 10_000, 100),
    options: (processes) => ({ processes }),
    figures: ["recordsPerSecond", "recordsPerCpuSecond"],
    about: "100 B records, full batches, 64 shards, two cores",
  },
];
