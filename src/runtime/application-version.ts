import { readFileSync, realpathSync } from "node:fs";
import path from "node:path";

/**
 * The version of the application that a script belongs to: that of the package.json nearest to it that has one, as a
 * label (what a label may not contain becomes a `-`).
 * @param script the script's path; undefined where there is none, as with `node --eval`
 * @returns undefined where no package.json above the script names a version
 */
export function applicationVersion(script: string | undefined): string | undefined {
  if (script === undefined) return undefined;
  for (let directory = path.dirname(real(script)); ; directory = path.dirname(directory)) {
    const version = versionIn(path.join(directory, "package.json"));
    if (version !== undefined) return version.replaceAll(/[^A-Za-z0-9_.-]/g, "-").slice(0, 60);
    if (directory === path.dirname(directory)) return undefined;
  }
}

/** A command started by its link in node_modules/.bin belongs to the package that the link points into. */
function real(script: string): string {
  try {
    return realpathSync(script);
  } catch {
    // It may have been replaced since: where it stood says as much.
    return path.resolve(script);
  }
}

function versionIn(file: string): string | undefined {
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Missing, not ours to read, or no JSON: it names no version, and no worker must fail to start for a default.
    return undefined;
  }
  if (typeof found !== "object" || found === null || !("version" in found)) return undefined;
  const { version } = found;
  return typeof version === "string" && version !== "" ? version : undefined;
}
