import { spawn, type ChildProcess } from "node:child_process";
import { get } from "node:http";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { sleep, type Clock } from "../runtime/clock.js";

/** What of an emulator's output is kept for an error's message. */
const keptOutput = 4_000;
const stopGraceMs = 2_000;
const probeIntervalMs = 50;

/** Free ports of this machine at this moment, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(0, "127.0.0.1", resolve);
      });
      return server;
    }),
  );
  return Promise.all(
    servers.map((server) => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      return new Promise<number>((resolve) => {
        server.close(() => resolve(port));
      });
    }),
  );
}

/** An emulator in a process of its own, which listens on loopback only and ends with this process. */
export class EmulatorProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #clock: Clock;
  #output = "";

  /** @param env all of the child's environment: nothing is inherited, credentials least of all */
  constructor(name: string, script: string, env: Readonly<Record<string, string>>, clock: Clock) {
    this.name = name;
    this.#clock = clock;
    const preloads = ["loopback.cjs", "end-with-parent.cjs"].flatMap((name) => [
      "--require",
      fileURLToPath(new URL(name, import.meta.url)),
    ]);
    this.#child = spawn(process.execPath, [...preloads, script], {
      env: { ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-keptOutput);
    };
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
    // The child may be gone before its pipe is: that is what the exit event tells.
    this.#child.stdin?.on("error", () => undefined);
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", (error) => {
        this.#output += String(error);
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasExited(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /**
   * Waits until the address answers.
   * @throws Error with the emulator's last output when it has exited, or has not answered within `withinMs`
   */
  async ready(url: string, withinMs: number): Promise<void> {
    const startedAtMs = this.#clock.now().monoMs;
    while (!(await answers(url))) {
      const isLate = this.#clock.now().monoMs - startedAtMs > withinMs;
      if (this.hasExited || isLate) {
        await this.stop();
        const what = isLate ? `did not answer within ${String(withinMs)} ms` : "exited";
        throw new Error(`${this.name} ${what}: ${this.#output.trim()}`);
      }
      await sleep(this.#clock, probeIntervalMs);
    }
  }

  /** Ends the process and waits until it has exited. */
  async stop(): Promise<void> {
    if (this.hasExited) return;
    this.#child.kill("SIGTERM");
    const grace = new AbortController();
    const killed = sleep(this.#clock, stopGraceMs, grace.signal).then(() => {
      if (!this.hasExited) this.#child.kill("SIGKILL");
    });
    await this.#exited;
    grace.abort();
    await killed;
  }
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode !== undefined && response.statusCode < 500);
    });
    request.on("error", () => resolve(false));
    request.on("timeout", () => request.destroy());
  });
}
