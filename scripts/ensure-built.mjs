import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");

/** Says when the last build that came through began. */
export const stamp = path.join(root, ".cache/built");

/**
 * Builds, unless the build is newer than every source and every folder of sources (which a file that went has changed).
 * @throws Error when the sources do not compile
 */
export function ensureBuilt() {
  const built = existsSync(path.join(root, "dist")) ? statSync(stamp, { throwIfNoEntry: false }) : undefined;
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
