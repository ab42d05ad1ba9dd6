import path from "node:path";
import { pathToFileURL } from "node:url";
import type * as testing from "../../src/testing/index.js";

/** As text: the compiler knows no types of it. */
const ensureBuiltFile: string = "../../scripts/ensure-built.mjs";

const { ensureBuilt } = (await import(ensureBuiltFile)) as { ensureBuilt(): void };
let isBuilt = false;

/** Builds where a source is newer than the build. */
export function buildIfOld(): void {
  if (!isBuilt) ensureBuilt();
  isBuilt = true;
}

/**
 * The path of a file of the build, by its path in dist/: processes of tests run what users run, and start in a quarter of
 * the time that the sources take.
 */
export function builtFile(name: string): string {
  buildIfOld();
  return path.join(import.meta.dirname, "../../dist", name);
}

/** `leasehold/testing` as users get it, built: a worker process of the sources would be another one than theirs. */
export async function builtTesting(): Promise<typeof testing> {
  return (await import(pathToFileURL(builtFile("testing/index.js")).href)) as typeof testing;
}

/** The environment for a process that runs no sources: it says nothing of their coverage. */
export function withoutCoverage(): NodeJS.ProcessEnv {
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  return env;
}
