// What a fleet told, in one shape, wherever it comes from.

/** A row made anew after its table was deleted starts so far above. */
export const farAbove = 2 ** 19;

/**
 * @param {object[]} lines of a simulation's trace (`t`, `who`, `type`, …) or of a journal's (`at`, `source`, `event`, `died`)
 * @returns {object[]} events, each with its time `t` and the process in which it happened as `who`; deaths are of type `died`
 */
export function eventsOf(lines) {
  return lines.flatMap((line) => {
    if (line.event !== undefined) return [{ ...line.event, t: line.at, who: line.source }];
    if (line.died === true) return [{ type: "died", t: line.at, who: line.source }];
    if (line.type === "process-killed") return [{ type: "died", t: line.t, who: line.who }];
    return line.workerId === undefined ? [] : [line];
  });
}

/** Names that a model can have, w1, w2, … in the order of asking. */
export class Names {
  #names = new Map();

  of(workerId) {
    if (workerId === undefined) return undefined;
    if (!this.#names.has(workerId)) this.#names.set(workerId, `w${this.#names.size + 1}`);
    return this.#names.get(workerId);
  }

  has(workerId) {
    return this.#names.has(workerId);
  }

  get all() {
    return [...this.#names.values()];
  }
}

/** The events of each lease, in order, from its creation on; of one whose row was made anew none: its epochs begin over. */
export function eventsByLease(events) {
  const leases = new Map();
  for (const event of events) {
    if (event.leaseKey === undefined) continue;
    const of = leases.get(event.leaseKey) ?? [];
    of.push(event);
    leases.set(event.leaseKey, of);
  }
  for (const [leaseKey, of] of leases) {
    const epochs = of.filter(({ epoch }) => epoch !== undefined).map(({ epoch }) => epoch);
    const isWhole = of.some(({ type }) => type === "lease-created");
    if (!isWhole || Math.max(...epochs) - Math.min(...epochs) >= farAbove) leases.delete(leaseKey);
  }
  return leases;
}

/** The events of each worker, in order, from its creation on, and the death of its process among them. */
export function eventsOfWorkers(events) {
  const workers = new Map();
  const processes = new Map();
  for (const event of events) {
    if (event.type === "worker-created") {
      workers.set(event.workerId, []);
      processes.set(event.who, [...(processes.get(event.who) ?? []), event.workerId]);
    }
    const told = event.type === "died" ? (processes.get(event.who) ?? []) : [event.workerId];
    for (const workerId of told) workers.get(workerId)?.push(event);
  }
  return workers;
}
