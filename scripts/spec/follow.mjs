// One run of TLC over a trace and those that were made of it: which of them are behaviours of the model.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fetchTlc } from "./fetch.mjs";
import { readOutput } from "./output.mjs";

const root = path.join(import.meta.dirname, "../..");
const scratch = path.join(root, ".cache/tlc/runs");

/** A value as TLA+ writes it: an array is a sequence, a Set a set, an object a record. */
export function valueOf(value) {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  if (typeof value === "number" && Number.isInteger(value)) return String(value);
  if (Array.isArray(value)) return `<<${value.map(valueOf).join(", ")}>>`;
  if (value instanceof Set) return `{${[...value].map(valueOf).join(", ")}}`;
  if (typeof value === "object" && value !== null) {
    return `[${Object.entries(value)
      .map(([field, of]) => `${field} |-> ${valueOf(of)}`)
      .join(", ")}]`;
  }
  throw new TypeError(`${String(value)} has no shape in TLA+`);
}

/** The module that TLC runs, with the traces and the constants that depend on them. */
export function moduleOf({ spec, traces, constants }) {
  const definitions = Object.entries(constants)
    .filter(([, value]) => typeof value !== "symbol")
    .map(([name, value]) => `Run${name} == ${valueOf(value)}`);
  const told = traces.map((trace) => `  ${valueOf(trace)}`).join(",\n");
  return [
    "---- MODULE Run ----",
    `EXTENDS ${spec}Trace`,
    ...definitions,
    `RunTraces == <<\n${told}\n>>`,
    "====",
    "",
  ].join("\n");
}

/** Its configuration. A symbol is a value that equals nothing but itself. */
export function configOf({ constants, invariants }) {
  return [
    "INIT TraceInit",
    "NEXT TraceNext",
    "CONSTANTS",
    ...Object.entries(constants).map(([name, value]) =>
      typeof value === "symbol" ? `  ${name} = ${value.description}` : `  ${name} <- Run${name}`,
    ),
    "  Traces <- RunTraces",
    `INVARIANTS ${invariants.join(" ")}`,
    "",
  ].join("\n");
}

/**
 * @param {{ spec: string, traces: object[], constants: object, invariants: string[] }} run
 * @returns {Promise<{ followed: boolean[], states: number }>} for each of the traces whether there is a behaviour that tells it
 */
export async function follow(run) {
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(path.join(scratch, "trace-"));
  writeFileSync(path.join(folder, "Run.tla"), moduleOf(run));
  writeFileSync(path.join(folder, "Run.cfg"), configOf(run));
  const library = ["spec", "spec/traces"].map((place) => path.join(root, place)).join(path.delimiter);
  // Such a run is over before a better compiler would pay.
  const java = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx2g"];
  const places = [`-Djava.io.tmpdir=${folder}`, `-DTLA-Library=${library}`, "-cp", fetchTlc()];
  const options = ["-tool", "-deadlock", "-fp", "0", "-workers", "1", "-metadir", folder];
  try {
    const text = await output("java", [...java, ...places, "tlc2.TLC", ...options, "Run"], folder);
    const { completed, violated, states } = readOutput(text, []);
    if (violated !== undefined || !completed) {
      throw new Error(
        `TLC came to no answer about a trace of ${run.spec}: ${violated ?? text.slice(-3_000)}`,
      );
    }
    const told = new Set([...text.matchAll(/<<"followed", (\d+)>>/g)].map(([, number]) => Number(number)));
    return { followed: run.traces.map((_, at) => told.has(at + 1)), states };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a command prints. */
export async function output(command, args, cwd = root) {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", 2] });
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}
