// The package as users get it, packed and unpacked into the run's folder: what the workers run does not change while the
// sources do.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "../..");

/** @returns what it printed: this process's stdout belongs to the result */
function must(command, args) {
  const { status, error, stdout } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", "pipe", 2],
    encoding: "utf8",
  });
  if (status !== 0) {
    throw new Error(`${command} ${args[0]} failed: ${error?.message ?? `status ${status}`}: ${stdout}`);
  }
  return stdout;
}

export function build() {
  must(process.execPath, ["scripts/ensure-installed.mjs"]);
  must(process.execPath, ["scripts/build.mjs"]);
}

/** Its dependencies are found where they are installed: the folder is within the checkout. */
export function unpackInto(folder) {
  mkdirSync(folder, { recursive: true });
  const [{ filename }] = JSON.parse(must("npm", ["pack", "--json", "--pack-destination", folder]));
  must("tar", ["-xzf", path.join(folder, filename), "-C", folder]);
  return path.join(folder, "package");
}
