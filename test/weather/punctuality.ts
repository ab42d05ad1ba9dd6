import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Seen } from "../../src/testing/index.js";

const probeEveryMs = 50;

/**
 * How well a machine keeps time, in all that stands in the way of a call: the test's own process, in which the proxies
 * are, and the emulators behind them. The workers tell of themselves.
 */
export class Punctuality {
  readonly #lag = monitorEventLoopDelay();
  readonly #pending = new Map<string, number>();
  readonly #probes: Promise<unknown>;
  #slowestMs = 0;
  #isStopped = false;

  /** @param urls what each emulator answers at once */
  constructor(urls: readonly string[]) {
    this.#lag.enable();
    this.#probes = Promise.all(urls.map((url) => this.#probe(url)));
  }

  /** Measures anew from now on; an answer that is out counts from when it was asked for. */
  reset(): void {
    this.#lag.reset();
    this.#slowestMs = 0;
  }

  /** How late anything was at the worst since the last reset, ms: the workers too, by what they told meanwhile. */
  lateMs(events: readonly Seen[]): number {
    const nowMs = performance.now();
    const open = [...this.#pending.values()].map((sinceMs) => nowMs - sinceMs);
    const workers = events.flatMap((event) =>
      event.type === "logged" && event.message === "stood still" ? [event.fields["ms"] as number] : [],
    );
    return Math.max(this.#lag.max / 1e6, this.#slowestMs, ...open, ...workers);
  }

  async stop(): Promise<void> {
    this.#lag.disable();
    this.#isStopped = true;
    await this.#probes;
  }

  async #probe(url: string): Promise<void> {
    while (!this.#isStopped) {
      const sentMs = performance.now();
      this.#pending.set(url, sentMs);
      await answerOf(url);
      this.#pending.delete(url);
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - sentMs);
      await new Promise((resolve) => setTimeout(resolve, probeEveryMs));
    }
  }
}

/** By a connection of its own: a kept one may be closed from the other end while this process stands still. */
async function answerOf(url: string): Promise<void> {
  const asked = get(url, { agent: false });
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  await once(answer, "end");
}
