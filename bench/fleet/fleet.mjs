// Worker processes of one application, and what their tables and their handlers' log say of them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { openInspector } from "../../dist/index.js";
import { Books } from "./books.mjs";
import { nowMs } from "../../scripts/host-clock.mjs";
import { until } from "./wait.mjs";

const main = path.join(import.meta.dirname, "../../dist/cli/main.js");
const handler = path.join(import.meta.dirname, "handler.mjs");
/** How long a fleet may take to come to rest, s: far more than it takes. */
const settleSeconds = 180;
const statusEveryMs = 250;

/**
 * @param options.source what is shared, as options of `leasehold run`
 * @param options.leases how many open leases there are
 * @param options.dynamodbEndpoint where its workers reach the store; default: the store itself
 */
export class Fleet {
  #rig;
  #options;
  #log;
  #inspector;
  #labels = 0;
  books;
  /** The running processes by label. */
  members = new Map();

  /** Whatever ends the bench: no worker goes on without it. */
  #onExit = () => {
    for (const { child } of this.members.values()) child.kill("SIGKILL");
  };

  constructor(rig, options) {
    this.#rig = rig;
    this.#options = options;
    this.#log = rig.file(`${options.application}.jsonl`);
    this.books = new Books(this.#log);
    process.on("exit", this.#onExit);
    this.#inspector = openInspector({
      application: options.application,
      dynamodb: { client: rig.dynamodb },
    });
  }

  /** One worker without a supervisor. */
  start({ workMs = 0 } = {}) {
    return this.#run(["--no-supervise"], { LEASEHOLD_BENCH_WORK_MS: String(workMs) });
  }

  /** Some workers under one supervisor. */
  startSupervised(workers) {
    return this.#run(["--workers", String(workers)], {});
  }

  #run(args, env) {
    const { application, source, dynamodbEndpoint } = this.#options;
    const label = `w${++this.#labels}`;
    const output = this.#rig.file(`${application}-${label}.log`);
    const stderr = openSync(output, "a");
    const startedAt = nowMs();
    const child = spawn(
      process.execPath,
      [main, "run", "--application", application, ...source, "--handler", handler, "--label", label, ...args],
      {
        env: { ...this.#rig.env(dynamodbEndpoint), LEASEHOLD_BENCH_LOG: this.#log, ...env },
        stdio: ["ignore", "ignore", stderr],
      },
    );
    closeSync(stderr);
    const gone = once(child, "exit").then(() => this.members.delete(label));
    const member = { label, child, pid: child.pid, startedAt, gone, output };
    this.members.set(label, member);
    return member;
  }

  status() {
    return this.#inspector.status();
  }

  /** Which process a worker id belongs to. */
  memberOf(workerId) {
    return [...this.members.values()].find(({ label }) => workerId?.startsWith(`${label}-`));
  }

  /**
   * Waits until so many workers share all leases, each read by who owns it, and none has fewer than a fair share less a tenth.
   * @returns the live workers, the most laden first: { workerId, leases: Set, isPlanner }
   */
  settled(workers) {
    return this.#rests(workers, (placement) =>
      placement.every(({ workerId, leases }) =>
        [...leases].every((lease) => this.books.reader(lease)?.worker === workerId),
      ),
    );
  }

  /** The same without the reads: an idle shard hands nothing over that a log could show. */
  owned(workers) {
    return this.#rests(workers, () => true);
  }

  async #rests(workers, isRead) {
    let last;
    try {
      return await until(
        `${this.#options.application} at rest with ${workers} workers`,
        settleSeconds,
        async () => {
          const status = await this.status().catch((error) => {
            // Its tables are being made.
            if (error.code === "table-missing") return undefined;
            throw error;
          });
          last = status && this.#placement(status);
          return status !== undefined && this.#isShared(status, last, workers) && isRead(last) && last;
        },
        statusEveryMs,
      );
    } catch (error) {
      const held = last?.map(({ workerId, leases }) => `${workerId} ${leases.size}`).join(", ");
      error.message += `; it holds: ${held ?? "nothing"}\n${this.#lastWords()}`;
      throw error;
    }
  }

  #placement({ leases, planner, workers }) {
    const live = workers.filter(({ state }) => !["left", "fenced", "missing"].includes(state));
    return live
      .map(({ workerId, state }) => ({
        workerId,
        state,
        isPlanner: planner === workerId,
        leases: new Set(
          leases
            .filter((lease) => lease.owner === workerId && lease.state === "owned")
            .map(({ leaseKey }) => leaseKey),
        ),
      }))
      .sort((a, b) => b.leases.size - a.leases.size);
  }

  #isShared(status, placement, workers) {
    this.books.update();
    const open = status.leases.filter(({ state }) => state !== "finished");
    // Balance leaves a tenth to either side; a newcomer that has not got all of its share says `joining`.
    const least = Math.floor((this.#options.leases / workers) * 0.9);
    return (
      open.length === this.#options.leases &&
      open.every(({ state }) => state === "owned") &&
      placement.length === workers &&
      placement.some(({ isPlanner }) => isPlanner) &&
      placement.every(({ state, leases }) => state === "live" && leases.size >= least)
    );
  }

  /** The end of every member's own log, for an error's message. */
  #lastWords() {
    return [...this.members.values()]
      .map(
        ({ label, output }) =>
          `${label}: ${readFileSync(output, "utf8").trim().split("\n").slice(-3).join("\n")}`,
      )
      .join("\n");
  }

  /** Waits for something that the handlers' log says. */
  logged(what, seconds, condition) {
    return until(what, seconds, () => {
      this.books.update();
      return condition(this.books);
    });
  }

  /** Ends every process at once, as a crash would. */
  async kill() {
    const members = [...this.members.values()];
    for (const { child } of members) child.kill("SIGKILL");
    await Promise.all(members.map(({ gone }) => gone));
  }

  /** Ends every process in good order. */
  async stop() {
    const members = [...this.members.values()];
    for (const { child } of members) child.kill("SIGTERM");
    await Promise.all(members.map(({ gone }) => gone));
  }

  async close() {
    await this.stop();
    process.off("exit", this.#onExit);
    this.#inspector.close();
    this.books.close();
  }
}
