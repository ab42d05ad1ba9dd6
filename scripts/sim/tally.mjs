/** What many seeds were like, added up. */
export class Tally {
  #seeds = 0;
  #events = 0;
  #virtualSeconds = 0;
  #violations = [];
  #coverage;
  #shapes = { workers: [], leases: [], virtualSeconds: [], takes: [] };

  /** @param {readonly string[]} names what must be exercised */
  constructor(names) {
    this.#coverage = new Map(names.map((name) => [name, 0]));
  }

  get seeds() {
    return this.#seeds;
  }

  get violations() {
    return this.#violations;
  }

  /** What must be exercised and never was. */
  get neverExercised() {
    return [...this.#coverage].filter(([, count]) => count === 0).map(([name]) => name);
  }

  add(outcome) {
    this.#seeds++;
    const { seed, violation } = outcome;
    if (violation !== undefined) this.#violations.push({ seed, invariant: violation.invariant });
    // A process that died says nothing of its seed but that it died.
    if (outcome.coverage === undefined) return;
    this.#events += outcome.events;
    this.#virtualSeconds += outcome.virtualSeconds;
    for (const [name, values] of Object.entries(this.#shapes)) values.push(outcome[name]);
    for (const [name, count] of Object.entries(outcome.coverage)) {
      this.#coverage.set(name, (this.#coverage.get(name) ?? 0) + count);
    }
  }

  /** The object of `--json`. */
  report(seconds) {
    const medians = Object.fromEntries(
      Object.entries(this.#shapes).map(([name, values]) => [name, medianOf(values)]),
    );
    return {
      seeds: this.#seeds,
      seedsPerSecond: rounded(this.#seeds / seconds),
      events: this.#events,
      virtualHours: rounded(this.#virtualSeconds / 3_600),
      medians: { ...medians, virtualSeconds: rounded(medians.virtualSeconds) },
      violations: this.#violations.sort((a, b) => a.seed - b.seed),
      coverage: Object.fromEntries([...this.#coverage].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }
}

/** The same report for people. */
export function tableOf({ seeds, seedsPerSecond, events, virtualHours, medians, violations, coverage }) {
  const facts = [
    ["seeds", seeds],
    ["seeds a second", seedsPerSecond],
    ["events", events],
    ["virtual hours", virtualHours],
    ["workers (median)", medians.workers],
    ["leases (median)", medians.leases],
    ["virtual seconds (median)", medians.virtualSeconds],
    ["takes (median)", medians.takes],
    ["violations", violations.length],
  ];
  return [...columns(facts), "", ...columns([["exercised", "times"], ...Object.entries(coverage)])].join(
    "\n",
  );
}

function columns(rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  const right = Math.max(...rows.map(([, value]) => String(value).length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${String(value).padStart(right)}`);
}

function medianOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function rounded(value) {
  return Math.round(value * 100) / 100;
}
