// What a worker process of a chaos run writes down of itself: its journal, src/testing/chaos/journal.ts. It hears every event
// by the log lines that `leasehold run --json --log-level debug` writes to stderr, at the instant at which they are written.
import { openSync, writeSync } from "node:fs";
import path from "node:path";
import { nowMs } from "../host-clock.mjs";

const askEveryMs = 250;
/** Log fields that are no event's. */
const logFields = new Set(["time", "level", "label", "application", "msg", "since", "times"]);

export class Probe {
  #file;
  #believesMs;
  #workers = new Map();
  /** Who began a tenure: by lease and epoch. The process may have become another worker since. */
  #holders = new Map();
  /** The leases that the processor was given and has not lost. */
  #leases = new Set();

  /** @param believesMs how long a beat vouches for a worker, from its sending: the lease's duration less the margin */
  constructor({ folder, believesMs }, label) {
    const name = `${label}.${process.pid}.${Math.round(nowMs())}.ndjson`;
    // Appended to by one write a line: what was said before a SIGKILL stands there.
    this.#file = openSync(path.join(folder, name), "a");
    this.#believesMs = believesMs;
    this.#write({ what: "began", at: nowMs(), pid: process.pid, label });
  }

  /** Hears what the worker logs from now on. What is only of interest to the journal goes no further. */
  listen() {
    const pass = process.stderr.write.bind(process.stderr);
    process.stderr.write = (chunk, ...rest) => {
      if (!this.heard(String(chunk), nowMs())) return pass(chunk, ...rest);
      rest.find((one) => typeof one === "function")?.();
      return true;
    };
    // A user may ask at any time, not only when there is work.
    setInterval(() => {
      for (const lease of this.#leases) this.asked(lease);
    }, askEveryMs).unref();
  }

  /** @returns whether nobody else needs to hear it */
  heard(text, at) {
    const line = logLine(text);
    if (line?.type !== undefined) this.#hear(eventOf(line), at);
    return line?.level === "debug";
  }

  /** Asks a lease what time is left, as a user would, and notes what it grants. */
  asked(lease) {
    const at = nowMs();
    // The time of the answer is not known exactly: counted from before the question, no pause can prolong it.
    const until = at + lease.remainingMs();
    if (until > at) this.#believes(this.holderOf(lease), lease.leaseKey, lease.fencingToken, at, until);
  }

  given(lease) {
    this.#leases.add(lease);
    this.asked(lease);
  }

  lost(lease) {
    this.#leases.delete(lease);
  }

  holderOf({ leaseKey, fencingToken }) {
    return this.#holders.get(`${leaseKey} ${fencingToken}`) ?? "nobody";
  }

  /** Notes that something was done, or was refused, under a lease. */
  note(what, lease, more) {
    const { leaseKey, fencingToken: epoch } = lease;
    this.#write({ what, at: nowMs(), worker: this.holderOf(lease), lease: leaseKey, epoch, ...more });
  }

  #hear(event, at) {
    this.#write({ what: "event", at, event });
    const { type, workerId, leaseKey, epoch } = event;
    if (type === "worker-created") {
      this.#workers.set(workerId, { sentAt: new Map(), restsOn: -Infinity, open: new Map() });
      return;
    }
    const worker = this.#workers.get(workerId);
    if (worker === undefined) return;
    switch (type) {
      case "beat-sent":
        // Its first attempt counts, however many there are.
        if (!worker.sentAt.has(event.beat)) worker.sentAt.set(event.beat, at);
        return;
      case "beat-acknowledged":
        worker.restsOn = worker.sentAt.get(event.beat) ?? worker.restsOn;
        for (const beat of worker.sentAt.keys()) if (beat <= event.beat) worker.sentAt.delete(beat);
        for (const [lease, held] of worker.open) this.#rests(workerId, worker, lease, held, at);
        return;
      case "tenure-began":
        this.#begins(workerId, worker, leaseKey, epoch, at);
        return;
      case "tenure-raised":
        this.#ends(workerId, worker, leaseKey, at);
        this.#begins(workerId, worker, leaseKey, event.to, at);
        return;
      case "tenure-ended":
        this.#ends(workerId, worker, leaseKey, at);
        return;
      case "leave-sent":
      case "worker-ended":
        for (const lease of worker.open.keys()) this.#ends(workerId, worker, lease, at);
        return;
      case "checkpoint-refused":
        if (event.reason === "deposed") {
          const refused = {
            worker: workerId,
            lease: leaseKey,
            epoch,
            write: "checkpoint",
            code: event.reason,
          };
          this.#write({ what: "refused", at, ...refused });
        }
        return;
      default:
    }
  }

  #begins(workerId, worker, lease, epoch, at) {
    worker.open.set(lease, epoch);
    this.#holders.set(`${lease} ${epoch}`, workerId);
    this.#rests(workerId, worker, lease, epoch, at);
  }

  /** What the last acknowledged beat vouches for; nothing, where it came back too late for that. */
  #rests(workerId, { restsOn }, lease, epoch, at) {
    const until = restsOn + this.#believesMs;
    if (until > at) this.#believes(workerId, lease, epoch, at, until);
  }

  #believes(worker, lease, epoch, at, until) {
    this.#write({ what: "belief", at, worker, lease, epoch, until });
  }

  #ends(workerId, worker, lease, at) {
    const epoch = worker.open.get(lease);
    if (epoch === undefined) return;
    worker.open.delete(lease);
    this.#write({ what: "belief-over", at, worker: workerId, lease, epoch });
  }

  #write(line) {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

function logLine(text) {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Somebody else's words.
  }
}

/** The event that a log line tells of. The log names the fields of a change of owner for people; here they get their own back. */
function eventOf(line) {
  const event = Object.fromEntries(Object.entries(line).filter(([name]) => !logFields.has(name)));
  const { type, lease: leaseKey, epoch, from, to, reason, checkpoint } = event;
  switch (type) {
    case "tenure-began":
      return { type, workerId: to, leaseKey, epoch, how: reason, ...(from ? { from } : {}), checkpoint };
    case "handed-off":
      return { type, workerId: from, leaseKey, epoch: epoch - 1, target: to, reason };
    case "released":
      return { type, workerId: from, leaseKey, epoch: epoch - 1, reason };
    default:
      return event;
  }
}
