// What mocha says of a run at its end: `N passing`, `N pending`, `N failing`, each on a line of its own.

const endLine = /^\s*(\d+) (passing|pending|failing)\b/;

/** Adds up the counts in `output`, which may hold several runs of mocha. */
export function countsIn(output) {
  const counts = { passing: 0, pending: 0, failing: 0 };
  for (const line of output.split("\n")) {
    const match = endLine.exec(line);
    if (match) counts[match[2]] += Number(match[1]);
  }
  return counts;
}
