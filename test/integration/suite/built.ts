import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type * as testing from "../../../src/testing/index.js";

const root = path.join(import.meta.dirname, "../../..");

/**
 * `leasehold/testing` as users get it, built: worker processes run the build, and a worker of the sources would be
 * another one. Built anew when a source is newer.
 */
export async function builtTesting(): Promise<typeof testing> {
  const built = path.join(root, "dist/testing/index.js");
  if (ageOf(built) < newestIn(path.join(root, "src"))) {
    const { status } = spawnSync(process.execPath, [path.join(root, "scripts/build.mjs")], {
      stdio: "inherit",
    });
    if (status !== 0) throw new Error("the build failed, and the integration suite runs the build");
  }
  return (await import(pathToFileURL(built).href)) as typeof testing;
}

function ageOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newestIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return Math.max(...files.map((name) => ageOf(path.join(folder, name))));
}
