// Fetches the Java KCL from Maven into .cache/kcl/, once, and compiles the subject against it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

export const version = "3.5.1";
const here = import.meta.dirname;
const source = path.join(here, "KclSubject.java");
const cache = path.join(here, "../../../../.cache/kcl");

/**
 * @returns the class path of the subject
 * @throws Error where it cannot be had: what is missing
 */
export function fetchKcl() {
  call("java", ["-version"], "it needs Java 17");
  const pom = path.join(here, "pom.xml");
  const lib = once(`${version}-${digest(pom)}`, (folder) => {
    console.error(`fetching the Java KCL ${version} from Maven`);
    const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${folder}`];
    call("mvn", ["--batch-mode", "--quiet", "--file", pom, ...goal], "it needs Maven and Maven Central");
  });
  const libraries = path.join(lib, "*");
  const classes = once(`subject-${digest(source)}`, (folder) => {
    call("javac", ["-proc:none", "-d", folder, "-cp", libraries, source], "it needs a JDK of Java 17");
  });
  return [classes, libraries].join(path.delimiter);
}

const digest = (file) => createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 12);

/** Another run may make the same folder, and this one may be broken off: only a whole one takes the name. */
function once(name, make) {
  const folder = path.join(cache, name);
  if (existsSync(folder)) return folder;
  const partial = path.join(cache, `partial-${process.pid}`);
  mkdirSync(partial, { recursive: true });
  try {
    make(partial);
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function call(command, args, need) {
  const { status, error, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status === 0) return;
  const why = error?.code === "ENOENT" ? `${command} is not installed` : (error?.message ?? stderr.trim());
  throw new Error(`${why}; ${need}`);
}
