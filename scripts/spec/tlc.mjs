// One run of TLC over one configuration, in a process of its own.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fetchTlc } from "./fetch.mjs";
import { partsOf } from "./models.mjs";
import { readOutput } from "./output.mjs";

const root = path.join(import.meta.dirname, "../..");
const scratch = path.join(root, ".cache/tlc/runs");

/**
 * @param {{ name: string, spec: string, text: string }} model
 * @param {{ workers: number, heap: string, coverage: boolean }} how
 */
export async function runTlc(model, { workers, heap, coverage }) {
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(path.join(scratch, `${model.name}-`));
  const config = path.join(folder, "model.cfg");
  writeFileSync(config, model.text);
  // TLC unpacks its library into the folder for temporary files: two at once would meet there.
  const java = ["-XX:+UseParallelGC", `-Xmx${heap}`, `-Djava.io.tmpdir=${folder}`, "-cp", fetchTlc()];
  // A state without a next one is no mistake in these models. The fingerprint is always the same one.
  const options = ["-tool", "-deadlock", "-fp", "0", "-workers", String(workers), "-metadir", folder];
  // Liveness is checked once, over all states: by itself TLC does it again and again, the slower the machine the oftener.
  options.push("-lncheck", "final");
  if (coverage) options.push("-coverage", "1");
  const began = performance.now();
  try {
    const output = await call("java", [...java, "tlc2.TLC", ...options, "-config", config, model.spec]);
    const seconds = (performance.now() - began) / 1000;
    return { ...readOutput(output, partsOf(model.text).properties), output, seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws when there is no Java to run TLC with. */
export async function assertJava() {
  await call("java", ["-version"], "ignore");
}

/** In the folder of the specs, since TLC looks for a configuration beside a spec that is given by its path. */
async function call(command, args, stderr = 2) {
  const child = spawn(command, args, { cwd: path.join(root, "spec"), stdio: ["ignore", "pipe", stderr] });
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  return await new Promise((resolve, reject) => {
    child.on("error", (error) => {
      const why = error.code === "ENOENT" ? "java is not installed" : error.message;
      reject(new Error(`TLC could not be run: ${why}; it needs Java 11 or newer on the PATH`));
    });
    child.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}
