// `npm run bench -- NAME [options]`: builds, then runs bench/NAME.mjs with the options.
import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./run.mjs";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");
const names = readdirSync(path.join(root, "bench"))
  .filter((name) => name.endsWith(".bench.mjs"))
  .map((name) => name.replace(".bench.mjs", ""));
const [name, ...options] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.error(`npm run bench -- ${name ?? ""}: no such bench; there are ${names.join(", ")}`);
  process.exit(2);
}
const built = await run("node", ["scripts/build.mjs"]);
process.exitCode =
  built.code === 0 ? (await run("node", [`bench/${name}.bench.mjs`, ...options])).code : built.code;
