import { fork } from "node:child_process";
import type { Child, ChildHandlers, ChildHost } from "./child-host.js";
import type { ParentChannel } from "./parent-link.js";

export interface NodeChildHostOptions {
  /** The module that a child runs. */
  readonly modulePath: string;
  /** Its arguments, by label. */
  readonly args: (label: string) => readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Children as Node processes with a channel. */
export function nodeChildHost(options: NodeChildHostOptions): ChildHost {
  return {
    start(label, handlers) {
      try {
        return startChild(options, label, handlers);
      } catch (error) {
        // Node throws for some failures of the operating system and emits an event for others.
        queueMicrotask(() => {
          handlers.onExit({ code: null, signal: null, error: String(error) });
        });
        return { pid: undefined, send: () => undefined, kill: () => undefined };
      }
    },
  };
}

function startChild(options: NodeChildHostOptions, label: string, handlers: ChildHandlers): Child {
  const child = fork(options.modulePath, [...options.args(label)], {
    // Both of its outputs go straight to our stderr: stdout belongs to the result, and a pipe that ends in this
    // process would break under a child that outlives it.
    stdio: ["ignore", 2, 2, "ipc"],
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  child.on("message", (message) => {
    handlers.onMessage(message);
  });
  child.once("exit", (code, signal) => {
    handlers.onExit({ code, signal });
  });
  child.on("error", (error) => {
    // With a pid it is a failed signal or message; the exit event is still to come.
    if (child.pid === undefined) handlers.onExit({ code: null, signal: null, error: error.message });
  });
  return {
    pid: child.pid,
    send(message) {
      if (child.connected) child.send(message, () => undefined);
    },
    kill(signal) {
      child.kill(signal);
    },
  };
}

/** This process's channel to its parent; undefined when it was not started with one. */
export function ownParentChannel(): ParentChannel | undefined {
  if (process.send === undefined) return undefined;
  return {
    get connected() {
      return process.connected;
    },
    send(message, sent) {
      if (process.send === undefined || !process.connected) {
        sent(new Error("the channel is closed"));
        return;
      }
      process.send(message, undefined, undefined, sent);
    },
    onMessage(fn) {
      process.on("message", fn);
    },
    onDisconnect(fn) {
      process.once("disconnect", fn);
    },
  };
}
