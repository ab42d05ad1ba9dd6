import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/runtime/system.js";
import { sleep } from "../../src/runtime/clock.js";
import { builtFile, withoutCoverage } from "../support/built.js";

const main = builtFile("cli/main.js");

/** The path of a handler file of these tests. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
}

export interface CliExit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Stdout's last line, as the JSON that it is under `--json`. */
  json(): unknown;
}

/** One running command line. */
export class Cli {
  readonly child: ChildProcess;
  readonly exit: Promise<CliExit>;
  stdout = "";
  stderr = "";

  /** @param withinMs a command that hangs must fail its test, not the whole run */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, withinMs = 100_000) {
    const inherited = Object.entries(withoutCoverage()).filter(([name]) => !name.startsWith("AWS_"));
    this.child = spawn(process.execPath, [main, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: withinMs,
      killSignal: "SIGKILL",
      env: {
        ...Object.fromEntries(inherited),
        // A port that nothing listens on: a test that forgets its emulator reaches nobody.
        AWS_ENDPOINT_URL: "http://127.0.0.1:1",
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        NODE_NO_WARNINGS: "1",
        ...env,
      },
    });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exit = new Promise((resolve) => {
      this.child.once("close", (code) => {
        const { stdout, stderr } = this;
        resolve({ code, stdout, stderr, json: () => JSON.parse(lastLine(stdout)) as unknown });
      });
    });
  }

  /** The lines of stderr that are log entries, under `--json`. */
  log(): readonly Readonly<Record<string, unknown>>[] {
    return this.stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }
}

export function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliExit> {
  return new Cli(args, env).exit;
}

/** Waits for something that another process does. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const startedAtMs = systemClock.now().monoMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (systemClock.now().monoMs - startedAtMs > 60_000) throw new Error(`waited in vain for ${what}`);
    await sleep(systemClock, 50);
  }
}

/** Whether a process of this id exists. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
