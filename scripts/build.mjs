// Builds src/ into dist/. Written in place and swept afterwards, never removed first: a process that runs from
// dist/ meanwhile keeps its files, and a source that went leaves nothing behind.
//
//   node scripts/build.mjs --no-check     without a look at the types, where the compiler looks at them anyway
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { stamp } from "./ensure-built.mjs";

const began = new Date();
const root = path.join(import.meta.dirname, "..");
const src = path.join(root, "src");
const dist = path.join(root, "dist");

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true }).filter((name) =>
    statSync(path.join(folder, name)).isFile(),
  );
}

const tsc = path.join(root, "node_modules/typescript/bin/tsc");
const options = process.argv.includes("--no-check") ? ["--noCheck"] : [];
const { status } = spawnSync(
  process.execPath,
  [tsc, "-p", path.join(root, "tsconfig.build.json"), ...options],
  {
    cwd: root,
    stdio: "inherit",
  },
);

// What is not TypeScript (pages, styles) goes along as it is.
const assets = filesIn(src).filter((name) => !name.endsWith(".ts"));
for (const name of assets) {
  mkdirSync(path.dirname(path.join(dist, name)), { recursive: true });
  copyFileSync(path.join(src, name), path.join(dist, name));
}

for (const name of filesIn(dist)) {
  const source = name.replace(/(\.d\.ts|\.js|\.js\.map)$/, ".ts");
  if (!assets.includes(name) && !existsSync(path.join(src, source))) rmSync(path.join(dist, name));
}

const cli = path.join(dist, "cli/main.js");
if (existsSync(cli)) chmodSync(cli, 0o755);

// Last, with the time at which it began: a build that was killed, or a source that changed meanwhile, is no build.
if (status === 0) {
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, "");
  utimesSync(stamp, began, began);
}
process.exitCode = status ?? 1;
