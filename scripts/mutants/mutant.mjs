// A mutant is one file: what stands above its diff says which rule it removes and what must notice.
//
//   Rule: a sentence of the protocol
//   Seeds: rolling 1-30
//   Falls: fenced-is-silent, one-believer     the invariants that may fall, one of which must
//   Test: test/fleet/death.test.ts
//   Fails: the full title of a test           must fail, as must every other title under its Test
//   Model: name of the mutant in spec/        with Reason, instead of a diff, where no patch can remove the rule
//
// Seeds and Test may both be there, and more than once: then every one of them must notice.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** @returns every mutant of a folder, in the order of their names */
export function readMutants(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".patch"))
    .sort()
    .map((name) => parseMutant(name.replace(".patch", ""), readFileSync(path.join(folder, name), "utf8")));
}

/** @throws Error that says what its head lacks */
export function parseMutant(name, text) {
  const complain = (what) => {
    throw new Error(`mutant ${name}: ${what}`);
  };
  const mutant = { name, text, rule: undefined, killers: [], model: undefined, reason: undefined };
  for (const line of text.split("\n")) {
    if (line.startsWith("--- ")) break;
    if (line.trim() === "" || line.startsWith("#") || line.startsWith("diff ") || line.startsWith("index ")) {
      continue;
    }
    const [, key, value] = /^([A-Z][a-z]+): (.+)$/.exec(line) ?? complain(`no such line: ${line}`);
    const last = mutant.killers.at(-1);
    if (key === "Rule") mutant.rule = value;
    else if (key === "Model") mutant.model = value;
    else if (key === "Reason") mutant.reason = value;
    else if (key === "Test") mutant.killers.push({ kind: "test", file: value, titles: [] });
    else if (key === "Seeds") mutant.killers.push({ kind: "seeds", ...seedsIn(value, complain), falls: [] });
    else if (key === "Fails" && last?.kind === "test") last.titles.push(value);
    else if (key === "Falls" && last?.kind === "seeds") last.falls.push(...value.split(/,\s*/));
    else complain(`${key} stands under nothing that it belongs to`);
  }
  if (mutant.rule === undefined) complain("it names no Rule");
  if (mutant.model !== undefined) {
    if (mutant.reason === undefined) complain("it gives no Reason for being in the model only");
    return mutant;
  }
  if (mutant.killers.length === 0) complain("nothing is to notice it: neither Test nor Seeds");
  for (const killer of mutant.killers) {
    if (killer.kind === "test" && killer.titles.length === 0) complain(`${killer.file} without Fails`);
    if (killer.kind === "seeds" && killer.falls.length === 0) complain("Seeds without Falls");
  }
  return mutant;
}

function seedsIn(value, complain) {
  const match = /^([a-z-]+) (\d+)(?:-(\d+))?$/.exec(value) ?? complain(`no seeds: ${value}`);
  return { scenario: match[1], from: Number(match[2]), to: Number(match[3] ?? match[2]) };
}
