interface Listener {
  readonly fn: (event: { readonly type: "abort"; readonly target: LightSignal }) => void;
  readonly once: boolean;
  next: Listener | undefined;
  removed: boolean;
}

function missing(what: string): never {
  throw new TypeError(`the simulator's signals have not ${what}: use what they have, or add it to them`);
}

function demand(type: string, fn: unknown): void {
  if (type !== "abort") missing(`the event ${type}`);
  if (typeof fn !== "function") missing("listeners that are no functions");
}

/** An `AbortSignal` with what this package uses of one, and no more: what is missing here fails loudly where it is used. */
class LightSignal {
  aborted = false;
  #reason: unknown;
  #first: Listener | undefined;
  #last: Listener | undefined;

  addEventListener(type: "abort", fn: Listener["fn"], options?: { readonly once?: boolean }): void {
    demand(type, fn);
    if (typeof options === "boolean") missing("the option capture");
    // Those of Node's own are symbols, and mean nothing where nobody stops an event.
    for (const name in options) if (name !== "once") missing(`the option ${name}`);
    for (let one = this.#first; one !== undefined; one = one.next) if (one.fn === fn) return;
    const listener: Listener = { fn, once: options?.once === true, next: undefined, removed: false };
    if (this.#last === undefined) this.#first = listener;
    else this.#last.next = listener;
    this.#last = listener;
  }

  removeEventListener(type: "abort", fn: Listener["fn"]): void {
    demand(type, fn);
    let before: Listener | undefined;
    for (let one = this.#first; one !== undefined; before = one, one = one.next) {
      if (one.fn !== fn) continue;
      this.#remove(one, before);
      return;
    }
  }

  set onabort(_fn: unknown) {
    missing("onabort");
  }

  get reason(): unknown {
    // Made where it is asked for: most signals are aborted without one, and errors cost.
    if (this.aborted && this.#reason === undefined)
      this.#reason = new DOMException("This operation was aborted", "AbortError");
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** For the controller. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.#reason = reason;
    const event = { type: "abort", target: this } as const;
    let next: Listener | undefined;
    for (let one = this.#first; one !== undefined; one = next) {
      // As Node does: what the last one adds is not called any more, what an earlier one adds is.
      next = one.next;
      if (one.removed) continue;
      if (one.once) this.removeEventListener("abort", one.fn);
      try {
        one.fn.call(this, event);
      } catch (error) {
        // As loud as it is in Node, and no business of whoever aborts.
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }

  #remove(listener: Listener, before: Listener | undefined): void {
    listener.removed = true;
    if (before === undefined) this.#first = listener.next;
    else before.next = listener.next;
    if (this.#last === listener) this.#last = before;
  }
}

class LightController {
  readonly signal = new LightSignal();

  abort(reason?: unknown): void {
    this.signal.abort(reason);
  }
}

/**
 * From now on signals are made of two small classes in this process. Node's own are event targets with all that belongs
 * to one, and a simulation makes one for every call and waits on them with every event: they took a tenth of its time.
 * For a process that does nothing but simulate.
 * @returns brings Node's own back
 */
export function useLightSignals(): () => void {
  const nodes = { AbortController, AbortSignal };
  Object.assign(globalThis, { AbortController: LightController, AbortSignal: LightSignal });
  return () => {
    Object.assign(globalThis, nodes);
  };
}
