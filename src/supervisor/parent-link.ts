import { LeaseholdError } from "../model/errors.js";
import { parentMessage, type ChildMessage } from "./messages.js";

/** A child's end of the channel to its parent: `process` has this shape in a child with a channel. */
export interface ParentChannel {
  readonly connected: boolean;
  send(message: ChildMessage, sent: (error: Error | null) => void): void;
  onMessage(fn: (message: unknown) => void): void;
  onDisconnect(fn: () => void): void;
}

/** A child's side of the agreement with its parent. */
export class ParentLink {
  readonly #channel: ParentChannel;
  readonly #waiting = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  readonly #gone = new AbortController();

  constructor(channel: ParentChannel) {
    this.#channel = channel;
    channel.onMessage((value) => {
      const message = parentMessage(value);
      if (message === undefined) return;
      this.#waiting.get(message.workerId)?.resolve();
      this.#waiting.delete(message.workerId);
    });
    channel.onDisconnect(() => {
      this.#parentGone();
    });
    if (!channel.connected) this.#parentGone();
  }

  /** Aborts when the parent has vanished. */
  get parentGone(): AbortSignal {
    return this.#gone.signal;
  }

  /**
   * Tells the parent of a worker and waits until it has noted it.
   * @throws LeaseholdError `worker-stopped` when the parent has vanished: a worker that nobody would fence is not made
   */
  announce(workerId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#gone.signal.aborted) {
        reject(orphaned());
        return;
      }
      this.#waiting.set(workerId, { resolve, reject });
      this.#channel.send({ leasehold: "announce", workerId }, (error) => {
        if (error === null) return;
        this.#waiting.delete(workerId);
        reject(orphaned(error));
      });
    });
  }

  /** Tells the parent that a worker has fenced itself. Lost messages cost a refused fence, nothing else. */
  left(workerId: string): void {
    if (this.#gone.signal.aborted) return;
    this.#channel.send({ leasehold: "left", workerId }, () => undefined);
  }

  /** Tells the parent why no restart would help; resolves when it was sent, or could not be. */
  fatal(code: string, message: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#gone.signal.aborted) {
        resolve();
        return;
      }
      this.#channel.send({ leasehold: "fatal", code, message }, () => {
        resolve();
      });
    });
  }

  #parentGone(): void {
    this.#gone.abort();
    for (const { reject } of this.#waiting.values()) reject(orphaned());
    this.#waiting.clear();
  }
}

function orphaned(cause?: Error): LeaseholdError {
  return new LeaseholdError("worker-stopped", "the parent process has vanished: no worker is started", {
    ...(cause === undefined ? {} : { cause }),
  });
}
