// Unified diffs, applied more strictly than `patch` does: a hunk goes where its old lines stand, wherever that is by
// now, and must stand there exactly once. A mutant that drifted to the wrong place would remove another rule.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** @returns the files of a diff, each with its hunks as old and new lines */
export function parsePatch(text) {
  const files = [];
  let hunk;
  for (const line of text.split("\n")) {
    const file = /^--- a\/(.+)$/.exec(line);
    if (file) {
      files.push({ file: file[1], hunks: [] });
      hunk = undefined;
    } else if (line.startsWith("@@")) {
      hunk = { old: [], new: [] };
      files.at(-1)?.hunks.push(hunk);
    } else if (hunk !== undefined && /^[ +-]/.test(line) && !line.startsWith("+++ b/")) {
      if (line[0] !== "+") hunk.old.push(line.slice(1));
      if (line[0] !== "-") hunk.new.push(line.slice(1));
    } else if (hunk !== undefined && !line.startsWith("+++ b/")) {
      hunk = undefined;
    }
  }
  return files;
}

/**
 * Applies a diff to the files under `folder`, all of it or none.
 * @returns the names of the changed files
 * @throws Error that says which hunk of which file stands nowhere, or in more than one place
 */
export function applyPatch(folder, text) {
  const files = parsePatch(text);
  if (files.length === 0) throw new Error("it has no diff");
  const changed = files.map(({ file, hunks }) => {
    const name = path.join(folder, file);
    let lines = readFileSync(name, "utf8").split("\n");
    for (const [i, hunk] of hunks.entries()) {
      const places = placesOf(hunk.old, lines);
      if (places.length !== 1) {
        const where = places.length === 0 ? "stands nowhere" : `stands in ${String(places.length)} places`;
        throw new Error(`it does not apply: hunk ${String(i + 1)} of ${file} ${where}`);
      }
      lines = lines.toSpliced(places[0], hunk.old.length, ...hunk.new);
    }
    return [name, lines.join("\n")];
  });
  for (const [name, content] of changed) writeFileSync(name, content);
  return files.map(({ file }) => file);
}

function placesOf(wanted, lines) {
  const places = [];
  for (let at = 0; at + wanted.length <= lines.length; at++) {
    if (wanted.every((line, i) => lines[at + i] === line)) places.push(at);
  }
  return places;
}
