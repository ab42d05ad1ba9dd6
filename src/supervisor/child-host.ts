import type { ParentMessage } from "./messages.js";

/** How a child process ended, as the operating system says. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Set when the process could not be started at all. */
  readonly error?: string;
}

export interface ChildHandlers {
  /** Whatever came over the channel. May still be called after `onExit`: messages under way are delivered late. */
  onMessage(message: unknown): void;
  /** Called once, on the exit event and never because a channel closed: only the exit proves the death. */
  onExit(exit: ChildExit): void;
}

/** One running child process. */
export interface Child {
  readonly pid: number | undefined;
  /** Never throws: a child that has gone hears nothing. */
  send(message: ParentMessage): void;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

/** Starts child processes: the port by which the supervisor reaches the operating system. */
export interface ChildHost {
  /**
   * Never throws, and calls no handler before it has returned: a process that could not be started at all is reported by
   * `onExit` with an `error`.
   */
  start(label: string, handlers: ChildHandlers): Child;
}
