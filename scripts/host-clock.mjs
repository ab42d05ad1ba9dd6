// One clock for every process of a host: monotonic, with one base. Times of different processes are compared by it.

/** Now, in ms. */
export const nowMs = () => Number(process.hrtime.bigint() / 1_000n) / 1_000;
