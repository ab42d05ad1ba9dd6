import { expect } from "chai";
import fc from "fast-check";
import { useLightSignals } from "../../src/testing/light-signals.js";

interface Signals {
  readonly AbortController: new () => AbortController;
}

/** What a listener does when it is called: adds or removes one, or aborts once more. */
const does = fc.record({
  act: fc.constantFrom("nothing", "add", "add once", "remove", "abort"),
  which: fc.nat(4),
});

type Deed = { readonly act: string; readonly which: number };

/** Plays deeds on a signal whose listeners do deeds themselves, and tells what was called. */
function play({ AbortController }: Signals, deeds: readonly Deed[], listeners: readonly Deed[]): string[] {
  const controller = new AbortController();
  const { signal } = controller;
  const calls: string[] = [];
  const reasonOf = (): string => String(signal.reason);
  const fns = listeners.map((deed, i) => (event: Event) => {
    calls.push(`${i} ${event.type} ${event.target === signal} ${signal.aborted} ${reasonOf()}`);
    // A listener that adds another for each call would go on for ever.
    if (calls.length < 50) perform(deed, `listener ${i}`);
  });
  function perform({ act, which }: Deed, who: string): void {
    const fn = fns[which % fns.length];
    if (act === "abort") controller.abort(new Error(who));
    else if (act === "remove" && fn !== undefined) signal.removeEventListener("abort", fn);
    else if (act !== "nothing" && fn !== undefined) {
      signal.addEventListener("abort", fn, act === "add" ? {} : { once: true });
    }
  }
  for (const [i, deed] of deeds.entries()) perform(deed, `deed ${i}`);
  controller.abort(new Error("the end"));
  return calls;
}

function lightSignals(): Signals {
  const restore = useLightSignals();
  const { AbortController } = globalThis;
  restore();
  return { AbortController };
}

function bound(controller: AbortController): { readonly signal: AbortSignal; readonly abort: () => void } {
  return {
    signal: controller.signal,
    abort: () => {
      controller.abort();
    },
  };
}

describe("light signals", () => {
  const light = lightSignals();

  it("call the same listeners in the same order as Node's own, whatever is done meanwhile", () => {
    fc.assert(
      fc.property(
        fc.array(does, { maxLength: 12 }),
        fc.array(does, { minLength: 1, maxLength: 5 }),
        (deeds, listeners) => {
          expect(play(light, deeds, listeners)).to.deep.equal(play(globalThis, deeds, listeners));
        },
      ),
    );
  });

  it("are what a process gets that asks for them, until it asks for Node's own again", () => {
    const { AbortController: ours, AbortSignal: signals } = globalThis;
    const restore = useLightSignals();
    const { signal } = new AbortController();
    expect(signal).to.be.instanceOf(AbortSignal);
    expect(signal).not.to.be.instanceOf(signals);
    restore();
    expect(AbortController).to.equal(ours);
    expect(AbortSignal).to.equal(signals);
  });

  it("call listeners on the signal, as Node's own do", () => {
    for (const { AbortController } of [light, globalThis]) {
      const { signal, abort } = bound(new AbortController());
      const on: unknown[] = [];
      signal.addEventListener("abort", function (this: unknown) {
        on.push(this);
      });
      abort();
      expect(on).to.have.length(1);
      expect(on[0]).to.equal(signal);
    }
  });

  it("refuse what they do not have, where it is used", () => {
    const { signal } = new light.AbortController();
    const nothing = (): void => {};
    for (const use of [
      () => signal.addEventListener("other", nothing),
      () => signal.removeEventListener("other", nothing),
      () => signal.addEventListener("abort", nothing, { signal: new AbortController().signal }),
      () => signal.addEventListener("abort", nothing, { capture: true }),
      () => signal.addEventListener("abort", nothing, true),
      () => signal.addEventListener("abort", { handleEvent: nothing }),
      () => (signal.onabort = nothing),
      () => signal.dispatchEvent(new Event("abort")),
    ]) {
      expect(use, use.toString()).to.throw(TypeError);
    }
  });

  it("are aborted once, for the first reason, or for Node's where none was given", () => {
    const [ours, theirs] = [new light.AbortController(), new AbortController()];
    for (const one of [ours, theirs]) {
      one.signal.throwIfAborted();
      one.abort();
      one.abort(new Error("too late"));
      expect(one.signal.aborted).to.equal(true);
      expect(() => {
        one.signal.throwIfAborted();
      }).to.throw(DOMException, "This operation was aborted");
    }
    expect((ours.signal.reason as Error).name).to.equal((theirs.signal.reason as Error).name);
  });
});
