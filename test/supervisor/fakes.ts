import { StoreError } from "../../src/model/errors.js";
import type { Random } from "../../src/runtime/random.js";
import type { Membership } from "../../src/store/membership.js";
import type { ChildExit, ChildHandlers, ChildHost } from "../../src/supervisor/child-host.js";
import type { ChildMessage, ParentMessage } from "../../src/supervisor/messages.js";
import { identity, quiet } from "../testing/rows.js";

/** Chance that has no say: `jitter` gives the middle of its range. */
export const steadyRandom: Random = { next: () => 0.5, id: () => "id" };

/** A child process in a test's hands. */
export class FakeChild {
  readonly label: string;
  readonly pid: number;
  readonly heard: ParentMessage[] = [];
  readonly signals: string[] = [];
  readonly #handlers: ChildHandlers;

  constructor(label: string, pid: number, handlers: ChildHandlers) {
    this.label = label;
    this.pid = pid;
    this.#handlers = handlers;
  }

  says(message: ChildMessage | { readonly leasehold: number } | string): void {
    this.#handlers.onMessage(message);
  }

  announces(workerId: string): void {
    this.says({ leasehold: "announce", workerId });
  }

  exits(exit: Partial<ChildExit> = {}): void {
    this.#handlers.onExit({ code: exit.code ?? null, signal: exit.signal ?? null, ...exit });
  }

  send(message: ParentMessage): void {
    this.heard.push(message);
  }

  kill(signal: string): void {
    this.signals.push(signal);
  }
}

/** Starts fake children and remembers them all. */
export class FakeHost implements ChildHost {
  readonly children: FakeChild[] = [];

  start(label: string, handlers: ChildHandlers): FakeChild {
    const child = new FakeChild(label, 1_000 + this.children.length, handlers);
    this.children.push(child);
    return child;
  }

  /** The child started last under the label. */
  last(label = "w1"): FakeChild {
    const child = this.children.findLast((one) => one.label === label);
    if (child === undefined) throw new Error(`no child ${label} was started`);
    return child;
  }
}

type Answer = "fenced" | "refused" | "silent" | "unavailable" | "denied" | "no-table";

/** The one write of the store that a supervisor makes. Answers come in the order given; the last one stays. */
export class FakeMembership implements Pick<Membership, "fenceExited"> {
  readonly calls: { readonly workerId: string; readonly by: string }[] = [];
  answers: Answer[] = ["fenced"];

  fenceExited: Membership["fenceExited"] = (workerId, by) => {
    this.calls.push({ workerId, by });
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    switch (answer) {
      case "refused":
        return Promise.resolve({ ok: false, current: undefined });
      case "silent":
        return new Promise(() => {});
      case "unavailable":
        return Promise.reject(
          new StoreError("store-unavailable", "no route", { retryable: true, ambiguous: true }),
        );
      case "denied":
        return Promise.reject(
          new StoreError("store-denied", "not allowed", { retryable: false, ambiguous: false }),
        );
      case "no-table":
        return Promise.reject(
          new StoreError("table-missing", "no table", { retryable: false, ambiguous: false }),
        );
      case "fenced":
      case undefined:
        return Promise.resolve({ ok: true, row: row(workerId, by) });
    }
  };

  get fenced(): readonly string[] {
    return this.calls.map(({ workerId }) => workerId);
  }
}

function row(workerId: string, by: string) {
  return {
    ...identity(workerId),
    ...quiet,
    beat: 1,
    fencedBy: by,
    mailbox: new Map<string, never>(),
  };
}
