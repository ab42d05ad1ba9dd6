// One place in the fleet: a process of `leasehold run` that was started, and after its end the next one.
import { spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "../host-clock.mjs";

/** After an end that nobody had asked for, as a service manager waits. */
const restartMs = 500;
/** From SIGTERM to SIGKILL: `shutdownGraceMs` of the worker and what its last writes may take. */
const stopSeconds = 60;

export class Slot {
  label;
  /** `solo` or `supervisor`. */
  kind;
  way;
  #options;
  #child;
  #gone = Promise.resolve();
  /** Whoever ends it says so first; then it is that one who starts the next. */
  #isAwaited = false;
  #isOver = false;
  /** Ends that nobody had asked for: `OwnEnd` of src/testing/chaos/ends.ts. */
  endedByItself = [];
  /** The pids of those that a SIGTERM did not end. */
  hung = [];

  /** @param options.command how a process of it is started: { args, env } */
  constructor(label, kind, way, options) {
    this.label = label;
    this.kind = kind;
    this.way = way;
    this.#options = options;
  }

  /** All that its processes have written, one after the other. */
  get log() {
    return path.join(this.#options.folder, `${this.label}.log`);
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Whether there is a process that nobody is about to end. */
  get isRunning() {
    return this.#child !== undefined && !this.#isAwaited;
  }

  start() {
    if (this.#isOver) return;
    const { args, env, say } = this.#options;
    const log = openSync(this.log, "a");
    const from = fstatSync(log).size;
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...this.way.env, ...env },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#child = child;
    this.#isAwaited = false;
    this.#gone = new Promise((resolve) => {
      child.once("error", (error) => {
        if (child.pid === undefined) resolve(error.message);
      });
      child.once("exit", (code, name) => resolve(name ?? `status ${code}`));
    }).then((how) => {
      this.#child = undefined;
      if (this.#isAwaited || this.#isOver) return;
      const end = { label: this.label, pid: child.pid, at: nowMs(), how, code: this.#codeSince(from) };
      this.endedByItself.push(end);
      say(
        `${this.label} ended by itself: ${how}, ${end.code ?? "and said nothing of it"}; it is started again`,
      );
      setTimeout(() => this.start(), restartMs).unref();
    });
  }

  /** Why `leasehold run --json` failed, by its last line. */
  #codeSince(from) {
    const lines = readFileSync(this.log).subarray(from).toString().split("\n");
    const failure = lines.findLast((line) => line.startsWith('{"ok":false,'));
    return failure === undefined ? undefined : JSON.parse(failure).error.code;
  }

  signal(name) {
    return this.#child?.kill(name) ?? false;
  }

  /** Waits for the end that was asked for, then so long, and starts the next process. */
  async again(downMs) {
    await this.#ended();
    await sleep(downMs);
    this.start();
  }

  /** Says that what ends the process now was asked for. */
  awaitEnd() {
    this.#isAwaited = true;
  }

  /** For good. @returns whether it ended by itself when it was asked to */
  async stop() {
    this.#isOver = true;
    this.#isAwaited = true;
    this.signal("SIGTERM");
    return this.#ended();
  }

  /** @returns false when it had to be killed */
  async #ended() {
    const isLate = Symbol("late");
    const late = new AbortController();
    const first = await Promise.race([
      this.#gone,
      sleep(stopSeconds * 1_000, isLate, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    if (first !== isLate) return true;
    this.hung.push(this.pid);
    this.#options.onKill(this.pid);
    this.signal("SIGKILL");
    await this.#gone;
    return false;
  }
}
