import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { run } from "./run.mjs";

/**
 * A folder in which a published package is installed in one version. Kept under `.cache/` for the next run.
 *
 * @param {string} name
 * @param {string} version
 * @param {string} place whose it is: a folder of `.cache/`
 * @throws {Error} where npm cannot install it
 */
export async function folderOf(name, version, place) {
  const folder = path.join(import.meta.dirname, "../.cache", place, version);
  const done = path.join(folder, "installed");
  if (existsSync(done)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // A package may bring its contents by a script of its own, which npm asks about.
  const manifest = { private: true, dependencies: { [name]: version }, allowScripts: { [name]: true } };
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest));
  const args = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", folder];
  const { code, output } = await run("npm", args, { isShown: false });
  if (code !== 0) throw new Error(`npm install ${name}@${version} failed:\n${output}`);
  writeFileSync(done, "");
  return folder;
}
