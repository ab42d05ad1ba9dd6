import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");

/**
 * Builds, unless the build is newer than every source and every folder of sources (which a file that went has changed).
 * @throws Error when the sources do not compile
 */
export function ensureBuilt() {
  const built = statSync(path.join(root, "dist/testing/seed-run.js"), { throwIfNoEntry: false });
  if (built !== undefined && newestUnder(path.join(root, "src")) < built.mtimeMs) return;
  console.error("Building ...");
  // stdout belongs to whoever asks: the compiler's talk goes to stderr.
  const { status, error } = spawnSync(process.execPath, [path.join(root, "scripts/build.mjs")], {
    stdio: ["ignore", 2, 2],
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`the build ended with ${String(status)}: mend what the compiler says`);
}

function newestUnder(folder) {
  const files = readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name));
  return Math.max(...[folder, ...files].map((file) => statSync(file).mtimeMs));
}
