// docs/benchmarks.md, made of the results that the benches have kept beside it.
//
//   node bench/page.mjs        renders the page and its pictures anew
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { fleetSection } from "./fleet/docs.mjs";
import { plannerSection } from "./planner/docs.mjs";
import { pretty } from "./pretty.mjs";
import { throughputSection } from "./throughput/docs.mjs";

const docs = path.join(import.meta.dirname, "../docs");
/** In the order of the page. Each draws its pictures, and says what stands under its heading. */
const sections = { fleet: fleetSection, throughput: throughputSection, planner: plannerSection };

export async function writePage() {
  const parts = [];
  for (const [name, section] of Object.entries(sections)) {
    const results = path.join(docs, "benchmarks", `${name}.json`);
    if (existsSync(results)) parts.push(section(JSON.parse(readFileSync(results, "utf8"))));
  }
  const text = `# Benchmarks

Made by the commands that each part names; do not edit.

${parts.join("\n")}`;
  writeFileSync(path.join(docs, "benchmarks.md"), await pretty(text, "markdown"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writePage();
