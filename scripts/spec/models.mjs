// What is to be checked, read from spec/: the configurations that must hold, and the mutants that must not.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const folder = path.join(import.meta.dirname, "../../spec");

/** Every keyword that begins a part of a configuration. */
const part =
  /^(SPECIFICATION|INIT|NEXT|CONSTANTS?|INVARIANTS?|PROPERT(?:Y|IES)|SYMMETRY|VIEW|CONSTRAINTS?|ACTION_CONSTRAINTS?)\b/;

/**
 * A configuration begins with the line `\* Name.tla: ...`, which names its spec and says what it is.
 * @returns {{ name: string, spec: string, text: string }[]}
 */
export function readConfigs(kind) {
  const place = path.join(folder, kind);
  return namesIn(place, ".cfg").map((name) => {
    const text = readFileSync(path.join(place, `${name}.cfg`), "utf8");
    const spec = /^\\\* (\w+)\.tla: /.exec(text)?.[1];
    if (spec === undefined)
      throw new Error(`${kind}/${name}.cfg: the first line must be "\\* Name.tla: ..."`);
    if (!existsSync(path.join(folder, `${spec}.tla`))) {
      throw new Error(`${kind}/${name}.cfg: there is no ${spec}.tla`);
    }
    return { name, spec, text };
  });
}

/**
 * A mutant is a configuration that holds, without one rule: then it breaks what it `breaks`.
 * @returns {{ name: string, spec: string, text: string, breaks: string }[]}
 */
export function readMutants(configs) {
  const place = path.join(folder, "mutants");
  const specs = namesIn(folder, ".tla").map((name) => readFileSync(path.join(folder, `${name}.tla`), "utf8"));
  return namesIn(place, ".json").map((name) => {
    const { rule, config, breaks } = JSON.parse(readFileSync(path.join(place, `${name}.json`), "utf8"));
    const base = configs.find((one) => one.name === config);
    if (base === undefined) throw new Error(`mutants/${name}.json: there is no configs/${config}.cfg`);
    if (!specs.some((text) => text.includes(`Rule("${rule}")`))) {
      throw new Error(`mutants/${name}.json: no spec has Rule("${rule}")`);
    }
    return { name, spec: base.spec, text: mutated(base.text, name, rule, breaks), breaks };
  });
}

/** The configuration without the rule, checking the one invariant or property that must break. */
export function mutated(text, name, rule, breaks) {
  const without = text.replace(/\bWithout = \{\}/, `Without = {"${rule}"}`);
  if (without === text) throw new Error(`mutants/${name}.json: its configuration has no "Without = {}"`);
  const { kept, invariants, properties } = partsOf(without);
  if (invariants.includes(breaks)) return `${kept}\nINVARIANT ${breaks}\n`;
  if (properties.includes(breaks)) return `${kept}\nPROPERTY ${breaks}\n`;
  throw new Error(`mutants/${name}.json: its configuration does not check ${breaks}`);
}

/** @returns {{ kept: string, invariants: string[], properties: string[] }} `kept` is all else */
export function partsOf(text) {
  const kept = [];
  const found = { INVARIANT: [], PROPERT: [] };
  let into;
  for (const line of text.split("\n")) {
    const code = line.replace(/\\\*.*$/, "").trim();
    const keyword = part.exec(code)?.[1];
    if (keyword !== undefined) into = found[/^(INVARIANT|PROPERT)/.exec(keyword)?.[1]];
    if (into === undefined) kept.push(line);
    else
      into.push(...(keyword === undefined ? code : code.slice(keyword.length)).split(/\s+/).filter(Boolean));
  }
  return { kept: kept.join("\n").trimEnd(), invariants: found.INVARIANT, properties: found.PROPERT };
}

function namesIn(place, extension) {
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .filter((name) => name.endsWith(extension))
    .map((name) => name.slice(0, -extension.length));
}
