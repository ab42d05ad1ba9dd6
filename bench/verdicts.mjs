// Whether what was measured keeps what is promised.

/**
 * Every promise of which something was measured, with its figure. A promise is how it is called, where its figure stands
 * in the result, the limit (`most` or `least`), and how a figure is shown.
 */
export function verdictsOf(promises, result) {
  return promises
    .map((promise) => ({ ...promise, value: promise.figure(result) }))
    .filter(({ value }) => value !== undefined)
    .map((promise) => {
      const { value, most = Infinity, least = -Infinity, show } = promise;
      return {
        ...promise,
        // A scenario that failed has no figure, and a promise without one is not kept.
        kept: Number.isFinite(value) && value <= most && value >= least,
        limit: limitOf(promise),
        shown: Number.isFinite(value) ? show(value) : "not measured: it failed",
      };
    });
}

/** Where no other value than the limit itself can keep it, it is said without a sign. */
function limitOf({ most, least, show }) {
  if (most === 0 || show(0) === "no") return show(most ?? least);
  return most === undefined ? `>= ${show(least)}` : `<= ${show(most)}`;
}

/** A table for people. */
export function verdictTable(rows) {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows
    .map(
      ({ name, shown, limit, kept }) =>
        `${name.padEnd(width)}  ${shown.padStart(10)}  ${limit.padEnd(14)} ${kept ? "kept" : "NOT KEPT"}`,
    )
    .join("\n");
}
