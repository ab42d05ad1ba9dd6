// Finds a Python that works. Interpreters are tried, not looked up: a shim may be found and refuse to run, and a
// distribution's Python may lack what makes a virtual environment.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/** Which LocalStack runs on which Python, the newest first, each with the kinesis-local that it expects. */
export const releases = [
  { version: "4.14.0", minor: 13, kinesisLocal: "0.5.2" },
  { version: "4.8.1", minor: 11, kinesisLocal: "0.4.13" },
];

const probe = "import ensurepip, sys, venv; print(sys.version_info[0], sys.version_info[1])";

function candidates() {
  const named = ["python3.13", "python3.14", "python3", "python3.12", "python3.11"];
  const versions = path.join(homedir(), ".pyenv/versions");
  const kept = existsSync(versions) ? readdirSync(versions).toSorted().toReversed() : [];
  return [...named, ...kept.map((version) => path.join(versions, version, "bin/python3"))];
}

/** What a Python prints when it runs `code`, otherwise why it does not. */
function tryCode(command, code) {
  const { status, stdout, stderr, error } = spawnSync(command, ["-c", code], {
    encoding: "utf8",
    timeout: 20_000,
  });
  if (error) return { problem: error.code === "ENOENT" ? "not there" : error.message };
  if (status !== 0) return { problem: stderr.trim().split("\n").at(-1) || `status ${status}` };
  return { stdout };
}

/** The minor version of a Python 3 that works, otherwise why it does not. */
function tryPython(command) {
  const { stdout, problem } = tryCode(command, probe);
  if (problem !== undefined) return { problem };
  const [, major, minor] = /^(\d+) (\d+)$/m.exec(stdout) ?? [];
  return major === "3" ? { minor: Number(minor) } : { problem: "no Python 3" };
}

/**
 * The first Python in which `code` runs.
 * @returns {{ command: string | undefined, tried: string[] }} and what became of those before it
 */
export function pythonThatRuns(code) {
  const tried = [];
  for (const command of candidates()) {
    const { problem } = tryCode(command, code);
    if (problem === undefined) return { command, tried };
    tried.push(`${command}: ${problem}`);
  }
  return { command: undefined, tried };
}

/**
 * The Python with the newest LocalStack, of those that there are.
 * @returns {{ command: string, release: typeof releases[number] }}
 */
export function choosePython() {
  const tried = [];
  let best;
  for (const command of candidates()) {
    const { minor, problem } = tryPython(command);
    const release = releases.find((one) => minor >= one.minor);
    tried.push(`${command}: ${problem ?? `3.${minor}`}`);
    if (release === undefined) continue;
    if (best === undefined || release.minor > best.release.minor) best = { command, release };
    if (release === releases[0]) break;
  }
  if (best !== undefined) return best;
  throw new Error(`LocalStack needs Python 3.11 or newer, with venv; tried ${tried.join("; ")}`);
}
