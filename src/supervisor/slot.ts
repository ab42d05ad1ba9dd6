import { observerElapsedMs, type Reading } from "../model/reading.js";
import type { Cancel, Clock } from "../runtime/clock.js";
import { jitter, type Random } from "../runtime/random.js";
import type { Child, ChildExit, ChildHost } from "./child-host.js";
import type { SupervisorEvent } from "./events.js";
import type { ExitFencer } from "./exit-fencer.js";
import { childMessage, fatalExitCode, type ChildMessage } from "./messages.js";

export interface Fatal {
  readonly label: string;
  readonly code: string;
  readonly message: string;
}

export interface SlotOptions {
  readonly label: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly host: ChildHost;
  readonly fencer: Pick<ExitFencer, "fence">;
  readonly firstBackOffMs: number;
  readonly longestBackOffMs: number;
  /** A child that lived so long has not failed at its start: the back-off begins anew. */
  readonly stableMs: number;
  readonly onEvent: (event: SupervisorEvent) => void;
  /** A child has announced a worker: program and settings are such that one can start. */
  readonly onAnnounced: () => void;
  /** Whether that ever happened under this supervisor. */
  readonly isProven: () => boolean;
  /** A child cannot start, and no restart would help. */
  readonly onFatal: (fatal: Fatal) => void;
  /** The slot's child has ended and none will follow. */
  readonly onDone: () => void;
}

interface Running {
  readonly child: Child;
  readonly startedAt: Reading;
  /** Announced, and not known to have left. */
  readonly workers: Set<string>;
  fatal: Extract<ChildMessage, { leasehold: "fatal" }> | undefined;
}

/** One place in the fleet of a supervisor: a child process, and after its end the next one. */
export class Slot {
  readonly #options: SlotOptions;
  #running: Running | undefined;
  #cancelRestart: Cancel | undefined;
  #failures = 0;
  #restarts = 0;
  #stopping = false;
  #done = false;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get isDone(): boolean {
    return this.#done;
  }

  start(): void {
    if (this.#stopping) return;
    const { label, clock, host, onEvent } = this.#options;
    let exited = false;
    const child = host.start(label, {
      onMessage: (message) => {
        this.#hear(running, message, exited);
      },
      onExit: (exit) => {
        if (exited) return;
        exited = true;
        this.#exited(running, exit);
      },
    });
    const running: Running = { child, startedAt: clock.now(), workers: new Set(), fatal: undefined };
    this.#running = running;
    onEvent({ type: "child-started", label, pid: child.pid });
  }

  /** Passes a stop on; called again it is passed on again, which makes the child give up its last checkpoint. */
  stop(): void {
    this.#stopping = true;
    this.#cancelRestart?.();
    this.#cancelRestart = undefined;
    if (this.#running !== undefined) this.#running.child.kill("SIGTERM");
    else this.#finish();
  }

  /** Ends a child that did not stop in its time. Its workers are fenced on its exit like those of any that died. */
  kill(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#options.onEvent({ type: "child-killed", label: this.#options.label, pid: running.child.pid });
    running.child.kill("SIGKILL");
  }

  #hear(running: Running, value: unknown, exited: boolean): void {
    const message = childMessage(value);
    if (message === undefined) return;
    const { label, fencer, onEvent, onAnnounced } = this.#options;
    switch (message.leasehold) {
      case "announce":
        onEvent({
          type: "child-announced",
          label,
          pid: running.child.pid,
          workerId: message.workerId,
        });
        onAnnounced();
        if (exited) {
          // Read after the exit event. It was never acknowledged, but nobody is left to say that no row was made.
          fencer.fence(message.workerId);
          return;
        }
        // Noted before it is acknowledged: there is no instant at which a row may exist that nobody would fence.
        running.workers.add(message.workerId);
        running.child.send({ leasehold: "acknowledged", workerId: message.workerId });
        return;
      case "left":
        running.workers.delete(message.workerId);
        return;
      case "fatal":
        running.fatal = message;
        return;
    }
  }

  #exited(running: Running, exit: ChildExit): void {
    const { label, clock, fencer, stableMs, onEvent, isProven, onFatal } = this.#options;
    this.#running = undefined;
    onEvent({
      type: "child-exited",
      label,
      pid: running.child.pid,
      exit,
      fencing: [...running.workers],
    });
    for (const workerId of running.workers) fencer.fence(workerId);
    if (this.#stopping) {
      this.#finish();
      return;
    }
    // Once settings have worked, what a child holds against them is somebody else's doing (a permission withdrawn): it may
    // pass, and it must not stop the children that still run. A deleted table does not pass: a restart would silently make
    // it anew, and with it lose every checkpoint.
    if (exit.code === fatalExitCode && (!isProven() || running.fatal?.code === "table-missing")) {
      const fatal: Fatal = {
        label,
        code: running.fatal?.code ?? "child-failed",
        message: running.fatal?.message ?? `child ${label} says that no restart would help (exit status 78)`,
      };
      onEvent({ type: "child-fatal", ...fatal });
      this.#finish();
      onFatal(fatal);
      return;
    }
    if (observerElapsedMs(running.startedAt, clock.now()) >= stableMs) this.#failures = 0;
    this.#failures++;
    this.#restart();
  }

  #restart(): void {
    const { label, clock, random, firstBackOffMs, longestBackOffMs, onEvent } = this.#options;
    const backOffMs = Math.min(longestBackOffMs, firstBackOffMs * 2 ** (this.#failures - 1));
    // Scattered, so that children which one cause ended do not all come back at the same instant.
    const inMs = Math.round(Math.min(longestBackOffMs, jitter(random, backOffMs, 0.8, 1.2)));
    onEvent({ type: "child-restarts", label, inMs });
    this.#cancelRestart = clock.setTimer(inMs, () => {
      this.#cancelRestart = undefined;
      this.#restarts++;
      this.start();
    });
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#options.onDone();
  }
}
