// Installs the dependencies when they are missing or are not those of the lock file. Runs before `npm test`,
// `npm run demo` and .ci/run, so that each works in a fresh clone; imports nothing that is not Node's own.
import { spawnSync } from "node:child_process";
import { readFileSync, statSync, utimesSync } from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");
const lock = path.join(root, "package-lock.json");
const installed = path.join(root, "node_modules/.package-lock.json");

const readPackages = (file) => JSON.parse(readFileSync(file, "utf8")).packages;

function isInstalled() {
  const record = statSync(installed, { throwIfNoEntry: false });
  if (record === undefined) return false;
  if (record.mtimeMs >= statSync(lock).mtimeMs) return true;
  // A checkout touches the lock file without changing it; then what it asks for decides.
  const present = readPackages(installed);
  const agrees = Object.entries(readPackages(lock)).every(
    ([name, entry]) =>
      name === "" || (present[name] ? present[name].version === entry.version : Boolean(entry.optional)),
  );
  if (agrees) utimesSync(installed, new Date(), new Date());
  return agrees;
}

if (!isInstalled()) {
  console.error("Installing the dependencies (npm ci) ...");
  // stdout belongs to the command that is to run: npm's talk goes to stderr.
  const { status, error } = spawnSync("npm", ["ci", "--include=dev"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (error) console.error(`npm ci did not start: ${error.message}`);
  process.exitCode = status ?? 1;
}
