// What a log is read for at its end: which tests failed, and how each began to say why.

/** Lines of one failure, its title among them: a whole stack, or a large difference, is further up. */
const mostLines = 15;

/** Such as `  12 failing`, the last of mocha's counts: what follows are the failures. */
const heading = /^\s*\d+ failing\b/;
/** Such as `  1) a fleet of processes`. */
const numbered = /^ {2}\d+\) /;

/** Its first lines, without those that say nothing. */
function excerpt(lines) {
  return lines
    .filter((line) => line.trim() !== "")
    .slice(0, mostLines)
    .join("\n");
}

/** The failures that mocha lists in `output`, which may hold several runs of it: each one's titles and first lines. */
export function failuresIn(output) {
  const failures = [];
  let current;
  let isList = false;
  let blanks = 0;
  for (const line of output.split("\n")) {
    blanks = line.trim() === "" ? blanks + 1 : 0;
    if (heading.test(line)) {
      isList = true;
      current = undefined;
    } else if (isList && numbered.test(line)) {
      current = [line];
      failures.push(current);
    } else if (blanks > 1 && current !== undefined) {
      // One blank line stands within and between failures, two stand after the last one.
      isList = false;
      current = undefined;
    } else current?.push(line);
  }
  return failures.map(excerpt);
}

/** What a tool said last that ended badly without naming what failed. */
export function lastWords(output) {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-mostLines).join("\n");
}
