// Installs LocalStack for running without Docker into .cache/localstack/, once: from PyPI, npm and Maven Central.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fetchDynamoDbLocal } from "../dynamodb-local/fetch.mjs";
import { choosePython } from "./python.mjs";

const here = import.meta.dirname;
const root = path.join(here, "../..");
const cache = path.join(root, ".cache/localstack");

/**
 * @returns {{ version: string, python: string, lib: string }} the interpreter of the environment, and what LocalStack
 * would otherwise download into its `lib`
 */
export function installLocalStack() {
  const { command, release } = choosePython();
  const { version } = release;
  const folder = path.join(cache, version);
  console.error(`localstack: ${command} works; it runs LocalStack ${version}`);
  if (!existsSync(folder)) install(command, release, folder);
  return { version, python: path.join(folder, "venv/bin/python"), lib: path.join(folder, "lib") };
}

function install(command, release, folder) {
  mkdirSync(cache, { recursive: true });
  // Another run may install at the same time, and this one may be broken off: only a whole folder takes the name. What
  // is inside is called by `python -m`, which does not mind that its folder was renamed.
  const partial = path.join(cache, `partial-${process.pid}`);
  try {
    installPython(command, release, path.join(partial, "venv"));
    installKinesis(release, path.join(partial, "lib/kinesis-local", release.kinesisLocal));
    installDynamoDb(path.join(partial, "venv/bin/python"), path.join(partial, "lib/dynamodb-local/2"));
    linkJava(path.join(partial, "lib/java"));
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

function installPython(command, { version }, venv) {
  console.error(`localstack: installing localstack-core ${version} from PyPI`);
  call(command, ["-m", "venv", venv], "it needs Python's venv");
  const pins = path.join(root, "localstack", `requirements-${version}.txt`);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", pins];
  call(path.join(venv, "bin/python"), pip, "it needs PyPI");
}

function installKinesis({ kinesisLocal }, folder) {
  mkdirSync(folder, { recursive: true });
  const flags = ["--silent", "--no-audit", "--no-fund", "--prefix", folder];
  call("npm", ["install", ...flags, `kinesis-local@${kinesisLocal}`], "it needs npm's registry");
}

/**
 * `java -jar DynamoDBLocal.jar` over the libraries that Maven fetched, which have other names than Amazon's download; by
 * the launcher that keeps it on loopback.
 */
function installDynamoDb(python, folder) {
  const libraries = path.join(folder, "DynamoDBLocal_lib");
  mkdirSync(path.join(folder, "META-INF"), { recursive: true });
  // Relative: the whole cache may be moved.
  symlinkSync(path.relative(folder, fetchDynamoDbLocal()), libraries);
  const launcher = path.join(here, "../dynamodb-local/Launcher.java");
  call("javac", ["-d", folder, "-cp", path.join(libraries, "*"), launcher], "it needs a JDK of Java 17");
  const jars = readdirSync(libraries).filter((name) => name.endsWith(".jar"));
  const classPath = [".", ...jars.toSorted().map((jar) => `DynamoDBLocal_lib/${jar}`)].join(" ");
  const lines = ["Manifest-Version: 1.0", "Main-Class: Launcher", ...folded(`Class-Path: ${classPath}`)];
  writeFileSync(path.join(folder, "META-INF/MANIFEST.MF"), `${lines.join("\r\n")}\r\n\r\n`);
  const parts = ["META-INF", "Launcher.class"].map((name) => path.join(folder, name));
  const jar = path.join(folder, "DynamoDBLocal.jar");
  call(python, ["-m", "zipfile", "-c", jar, ...parts], "its jar could not be written");
  const agents = path.join(folder, "agent");
  const copy = ["dependency:copy-dependencies", `-DoutputDirectory=${agents}`];
  call("mvn", ["--batch-mode", "--quiet", "--file", path.join(here, "pom.xml"), ...copy], "it needs Maven");
  const [agent] = readdirSync(agents);
  renameSync(path.join(agents, agent), path.join(folder, "ddb-local-loader-0.1.jar"));
}

/** A line of a manifest has 72 bytes at most; what is longer goes on after a blank. */
function folded(line) {
  const parts = [line.slice(0, 70)];
  for (let at = 70; at < line.length; at += 69) parts.push(` ${line.slice(at, at + 69)}`);
  return parts;
}

/** LocalStack brings a Java of its own where it finds none in its place. */
function linkJava(folder) {
  mkdirSync(folder, { recursive: true });
  symlinkSync(javaHome(), path.join(folder, "21"));
}

function javaHome() {
  const args = ["-XshowSettings:properties", "-version"];
  const { stderr, error } = spawnSync("java", args, { encoding: "utf8" });
  const home = /^\s*java\.home = (.+)$/m.exec(stderr ?? "")?.[1];
  if (home !== undefined) return realpathSync(home);
  throw new Error(
    `LocalStack could not be installed: java does not run (${error?.message}); it needs Java 17`,
  );
}

function call(command, args, need) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", 2, 2] });
  if (status === 0) return;
  const why = error?.message ?? `${command} ended with ${String(status)}`;
  throw new Error(`LocalStack could not be installed: ${why}; ${need}`);
}
