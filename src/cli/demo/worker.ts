import { kinesis, Worker, type LeaseholdEvent } from "../../index.js";
import { sleep } from "../../runtime/clock.js";
import { systemClock } from "../../runtime/system.js";
import { stderrLogger } from "../logger.js";
import { messageOf } from "../output.js";
import { leaveTerminalToParent } from "../signals.js";
import {
  reportedEvents,
  toWorker,
  type DemoWorkerSettings,
  type FromWorker,
  type SinkRecord,
} from "./messages.js";

/** What a batch takes beside its write: long enough to be frozen in. */
const workMs = 100;

/** The entry of the demo's worker processes. The sink is in the parent, at the other end of the channel. */
async function main(settings: DemoWorkerSettings): Promise<number> {
  const abort = new AbortController();
  leaveTerminalToParent();
  process.stderr.on("error", () => undefined);
  process.on("SIGTERM", () => {
    abort.abort();
  });
  process.on("disconnect", () => {
    // The emulators went with the parent: there is nothing left to hand over, and nowhere to say so.
    process.exit(1);
  });
  const sink = new SinkLink();
  const worker: Worker = new Worker({
    application: settings.application,
    label: settings.label,
    leaseDurationMs: settings.leaseDurationMs,
    discoveryIntervalMs: 10_000,
    source: kinesis({ streamName: settings.streamName, idlePollIntervalMs: 1_000 }),
    logger: stderrLogger({
      label: settings.label,
      level: "error",
      json: false,
      write: (line) => {
        send({ demo: "log", line: line.trimEnd() });
      },
    }),
    onEvent: (event: LeaseholdEvent) => {
      if (reportedEvents.has(event.type)) send({ demo: "event", event });
    },
    processor: {
      async process(batch, lease) {
        const token = lease.fencingToken;
        send({ demo: "working", leaseKey: lease.leaseKey, token });
        await sleep(systemClock, workMs);
        // Careless on purpose: no look at lease.signal or lease.assertHeld() before the write. That is what the
        // fencing token is for, and the demo shows it refused after a freeze.
        const records = batch.records.map(({ data }) => parse(data));
        const ok = await sink.write({ workerId: worker.workerId, leaseKey: lease.leaseKey, token, records });
        if (!ok) throw new Error("the sink refused a write that came too late");
        await batch.checkpoint();
      },
    },
  });
  try {
    await worker.run(abort.signal);
    return 0;
  } catch (error) {
    send({ demo: "log", line: `${settings.label} ended: ${messageOf(error)}` });
    return 1;
  }
}

/** Writes to the sink and waits for its answers. */
class SinkLink {
  readonly #waiting = new Map<number, (ok: boolean) => void>();
  #id = 0;

  constructor() {
    process.on("message", (value) => {
      const message = toWorker(value);
      if (message === undefined) return;
      this.#waiting.get(message.id)?.(message.ok);
      this.#waiting.delete(message.id);
    });
  }

  write(message: Omit<Extract<FromWorker, { demo: "write" }>, "demo" | "id">): Promise<boolean> {
    const id = this.#id++;
    return new Promise((resolve) => {
      if (!process.connected) {
        resolve(false);
        return;
      }
      this.#waiting.set(id, resolve);
      send({ demo: "write", id, ...message });
    });
  }
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function parse(data: Uint8Array): SinkRecord {
  return JSON.parse(Buffer.from(data).toString()) as SinkRecord;
}

const settings = JSON.parse(process.argv[2] ?? "{}") as DemoWorkerSettings;
process.exit(await main(settings));
