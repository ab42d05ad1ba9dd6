// Processes of the bench's own: each says lines on its stdout, and is ended by its own handle.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A trace of Java's is long, and one line of each says enough. */
const keptOutput = 2_000;

/** A child did not say what was due. @param output the last of its stderr */
class Silence extends Error {
  constructor(message, output) {
    super(message);
    this.output = output.trim();
  }
}

export class Child {
  #child;
  #gone;
  #output = "";
  #onLine = () => {};
  #unread = [];

  constructor(command, args, env) {
    // Its stdin ends with this process, and a child that reads it then does too.
    this.#child = spawn(command, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.on("data", (chunk) => (this.#output = (this.#output + chunk).slice(-keptOutput)));
    createInterface(this.#child.stdout).on("line", (line) => {
      this.#unread.push(line);
      this.#onLine();
    });
    // A command that is not there has no exit.
    this.#gone = Promise.race([once(this.#child, "close"), once(this.#child, "error")]).then(() =>
      this.#onLine(),
    );
    children.add(this);
    void this.#gone.then(() => children.delete(this));
  }

  get pid() {
    return this.#child.pid;
  }

  get hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  /**
   * The next line.
   * @throws Silence when it has ended, or says none within the time
   */
  async line(withinMs) {
    const deadline = AbortSignal.timeout(withinMs);
    deadline.addEventListener("abort", () => this.#onLine());
    while (this.#unread.length === 0) {
      if (this.hasEnded) throw new Silence("it ended", this.#output);
      if (deadline.aborted) throw new Silence(`it said nothing for ${withinMs / 1_000} s`, this.#output);
      await new Promise((resolve) => (this.#onLine = resolve));
    }
    return this.#unread.shift();
  }

  /** Told on its stdin. */
  say(line) {
    this.#child.stdin.write(`${line}\n`);
  }

  kill() {
    this.#child.kill("SIGKILL");
  }

  async end() {
    this.kill();
    await this.#gone;
  }
}

const children = new Set();
// A bench that is broken off leaves none behind.
process.on("exit", () => {
  for (const child of children) child.kill();
});
