import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { sleep, type Clock } from "../../runtime/clock.js";
import { fromWorker, type DemoWorkerSettings, type FromWorker, type ToWorker } from "./messages.js";

export type MemberState = "running" | "frozen" | "killed" | "leaving" | "gone";

export interface CrewOptions {
  readonly clock: Clock;
  /** The settings of all workers. */
  readonly settings: Omit<DemoWorkerSettings, "label">;
  readonly env: NodeJS.ProcessEnv;
  /** An answer is sent back when it returns one. */
  readonly onMessage: (member: Member, message: FromWorker) => ToWorker | undefined;
  /** A process ended that nobody had asked to. */
  readonly onLost: (member: Member, how: string) => void;
}

/** One worker process of the demo. */
export class Member {
  readonly label: string;
  readonly startedAtMs: number;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  #state: MemberState = "running";

  constructor(label: string, child: ChildProcess, startedAtMs: number, exited: Promise<void>) {
    this.label = label;
    this.#child = child;
    this.startedAtMs = startedAtMs;
    this.exited = exited.then(() => {
      if (this.#state !== "killed") this.#state = "gone";
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get state(): MemberState {
    return this.#state;
  }

  send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  kill(): void {
    this.#state = "killed";
    this.#child.kill("SIGKILL");
  }

  freeze(): void {
    this.#state = "frozen";
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#state = "running";
    this.#child.kill("SIGCONT");
  }

  leave(): void {
    this.#state = "leaving";
    this.#child.kill("SIGTERM");
  }
}

/** How long worker processes get for a clean stop at the demo's end. */
const stopWithinMs = 15_000;

/** The demo's worker processes. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #members: Member[] = [];

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Starts the next worker process. */
  start(): Member {
    const { clock, env, settings, onMessage, onLost } = this.#options;
    const label = `w${String(this.#members.length + 1)}`;
    const child = fork(workerPath(), [JSON.stringify({ ...settings, label } satisfies DemoWorkerSettings)], {
      env,
      stdio: ["ignore", "ignore", 2, "ipc"],
    });
    const exited = new Promise<void>((resolve) => {
      child.once("exit", (code, signal) => {
        if (member.state === "running") {
          onLost(member, signal ?? `status ${String(code)}`);
        }
        resolve();
      });
      child.once("error", (error) => {
        if (child.pid !== undefined) return;
        onLost(member, error.message);
        resolve();
      });
    });
    const member = new Member(label, child, clock.now().monoMs, exited);
    child.on("message", (value) => {
      const message = fromWorker(value);
      if (message === undefined) return;
      const answer = onMessage(member, message);
      if (answer !== undefined) member.send(answer);
    });
    this.#members.push(member);
    return member;
  }

  /** Stops every process: asks, waits, kills. */
  async stop(): Promise<void> {
    const left = this.#members.filter(({ state }) => state !== "gone" && state !== "killed");
    for (const member of left) {
      // A frozen process hears nothing.
      if (member.state === "frozen") member.thaw();
      member.leave();
    }
    const grace = new AbortController();
    const killed = sleep(this.#options.clock, stopWithinMs, grace.signal).then(() => {
      for (const member of left) if (member.state === "leaving") member.kill();
    });
    await Promise.all(this.#members.map(({ exited }) => exited));
    grace.abort();
    await killed;
  }
}

/** Beside this file, compiled or not. */
function workerPath(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./worker.${extension}`, import.meta.url));
}
