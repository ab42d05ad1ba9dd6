import { LeaseholdError } from "./errors.js";

/** The lease protocol's parameters, as a user may set them. Durations in ms; what is left out is derived. */
export interface ProtocolOptions {
  /** D: how long a beat vouches for a worker. Default 10,000, minimum 2,000. */
  readonly leaseDurationMs?: number;
  /** h: between two beats. Default D/4. */
  readonly heartbeatIntervalMs?: number;
  /** Time for one try of one lease call. Default D/5, at most h. */
  readonly attemptTimeoutMs?: number;
  /** How much earlier than D a worker stops believing. Default D/10, from D/20 to D/4. */
  readonly safetyMarginMs?: number;
  /** p: between two reads of the fleet. Default min(1,000, D/8), at most D/8. */
  readonly pollIntervalMs?: number;
  /** Work in flight at a planned move gets this long. Default 30,000. */
  readonly drainMs?: number;
  /** A clean stop gets this long. Default 30,000. */
  readonly shutdownGraceMs?: number;
  /** A processor that neither returns nor reports progress for so long is stuck. Default 300,000. */
  readonly processingTimeoutMs?: number;
  /** From a stuck processor's abort to its lease's release. Default 10,000. */
  readonly abortGraceMs?: number;
  /** A held partition whose source does not answer for so long, while others do, is given up. Default 300,000. */
  readonly sourceSilenceMs?: number;
  /** Batches processed at the same time. Default 64, minimum 1. */
  readonly maxConcurrentBatches?: number;
  /** Automatic checkpoints at most this often. Default 10,000; 0 after every batch. */
  readonly checkpointIntervalMs?: number;
  /** How often the source is asked which partitions there are. Default 30,000, minimum 1,000. */
  readonly discoveryIntervalMs?: number;
  /** Leases that plans and ranks give this worker at most. Default: no bound. */
  readonly maxLeases?: number;
  /** Leases that this worker adopts at most, whatever happens. Default: no bound. */
  readonly hardMaxLeases?: number;
  /**
   * How long a deploy may stand still. When the newer of two deployments has not grown for so long, leases are balanced
   * between them again; and for so long every worker must have read a newer format before the fleet writes it. Default
   * 600,000; 0 holds nothing back.
   */
  readonly deployHoldMs?: number;
  /** Planned moves in flight at once, as giver and as receiver. Default 32, from 1 to 100. */
  readonly maxMovesInFlight?: number;
  /**
   * `failoverTimeMillis` of the Java KCL fleet that worked on the lease table before: a start watches its rows for
   * max(T, 45 s, 1.25 × a third of this). Default 10,000, as the KCL's; minimum 1,000.
   */
  readonly kclFailoverMs?: number;
}

/** The resolved parameters; names and defaults of the protocol's table. */
export interface ProtocolConfig {
  readonly leaseDurationMs: number;
  readonly heartbeatIntervalMs: number;
  readonly attemptTimeoutMs: number;
  readonly safetyMarginMs: number;
  /** T: an observer waits so long. */
  readonly expiryMs: number;
  readonly pollIntervalMs: number;
  /** A gap longer than this in an observer's reads or beats restarts its timers. */
  readonly blindGapMs: number;
  /** The planner's tick unchanged for so long: there is no fresh plan. */
  readonly freshPlanMs: number;
  readonly settleMs: number;
  readonly settleLimitMs: number;
  readonly plannerScanIntervalMs: number;
  readonly scanIntervalMs: number;
  readonly reconcileIntervalMs: number;
  readonly coolDownMs: number;
  readonly drainMs: number;
  readonly shutdownGraceMs: number;
  readonly processingTimeoutMs: number;
  readonly abortGraceMs: number;
  readonly sourceSilenceMs: number;
  readonly maxConcurrentBatches: number;
  readonly checkpointIntervalMs: number;
  readonly discoveryIntervalMs: number;
  readonly maxLeases: number | undefined;
  readonly hardMaxLeases: number | undefined;
  readonly deployHoldMs: number;
  readonly maxMovesInFlight: number;
  readonly kclFailoverMs: number;
  /** Rows of a Java KCL's that nobody wrote for so long are left over from one that is gone. */
  readonly kclWatchMs: number;
}

/** ρ: the bound on how much faster or slower a machine's clock runs. */
export const clockRateBound = 0.005;
/** How long history and marks of deleted leases are kept. */
export const retentionMs = 30 * 24 * 3_600_000;
/** How long one process must have watched a fenced worker before it collects its row. */
export const collectionMs = 15 * 60_000;

function invalid(name: string, value: unknown, rule: string, remedy: string): never {
  throw new LeaseholdError("invalid-option", `${name} is ${show(value)}: it must be ${rule}; ${remedy}`);
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "boolean" || value == null) return String(value);
  return `a value of type ${typeof value}`;
}

function integer(name: string, value: unknown, minimum: number, maximum: number, unit: string): number {
  const within =
    maximum === Infinity
      ? `an integer of at least ${String(minimum)}`
      : `an integer from ${String(minimum)} to ${String(maximum)}`;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < minimum || value > maximum) {
    invalid(name, value, `${within}${unit}`, `leave it out for its default`);
  }
  return value;
}

const optionNames: ReadonlySet<string> = new Set<keyof ProtocolOptions>([
  "leaseDurationMs",
  "heartbeatIntervalMs",
  "attemptTimeoutMs",
  "safetyMarginMs",
  "pollIntervalMs",
  "drainMs",
  "shutdownGraceMs",
  "processingTimeoutMs",
  "abortGraceMs",
  "sourceSilenceMs",
  "maxConcurrentBatches",
  "checkpointIntervalMs",
  "discoveryIntervalMs",
  "maxLeases",
  "hardMaxLeases",
  "deployHoldMs",
  "maxMovesInFlight",
  "kclFailoverMs",
]);

/** A giver's directives are posted in one write, whose expression DynamoDB bounds to 4 KB. */
const mostMovesInFlight = 100;
const longestMs = 24 * 3_600_000;
/** The KCL writes its leader's lock and its workers' metrics every 30 s, whatever its failover time. */
const kclRowsMs = 45_000;

/**
 * Fills in the defaults and checks every option and the chain between them.
 * @throws LeaseholdError `invalid-option` naming the option, its value, what it may be and what to do
 */
export function resolveProtocol(options: ProtocolOptions = {}): ProtocolConfig {
  for (const name of Object.keys(options)) {
    if (!optionNames.has(name)) {
      throw new LeaseholdError(
        "invalid-option",
        `${name} is no protocol option; known are ${[...optionNames].join(", ")}`,
      );
    }
  }
  const ms = (name: keyof ProtocolOptions, fallback: number, minimum: number, maximum = longestMs): number =>
    options[name] === undefined ? fallback : integer(name, options[name], minimum, maximum, " ms");
  const count = (name: keyof ProtocolOptions, fallback: number, minimum: number): number =>
    options[name] === undefined ? fallback : integer(name, options[name], minimum, Infinity, "");

  const d = ms("leaseDurationMs", 10_000, 2_000, 3_600_000);
  const h = ms("heartbeatIntervalMs", Math.floor(d / 4), 1);
  const a = ms("attemptTimeoutMs", Math.min(Math.floor(d / 5), h), 1);
  const margin = ms("safetyMarginMs", Math.floor(d / 10), 1);
  const p = ms("pollIntervalMs", Math.min(1_000, Math.floor(d / 8)), 1);
  if (a > h) {
    invalid(
      "attemptTimeoutMs",
      a,
      `at most heartbeatIntervalMs (${String(h)})`,
      "lower it, or raise heartbeatIntervalMs",
    );
  }
  if (margin < d / 20 || margin > d / 4) {
    invalid(
      "safetyMarginMs",
      margin,
      `from ${String(d / 20)} to ${String(d / 4)} ms (a twentieth to a quarter of leaseDurationMs ${String(d)})`,
      "or leave it out for a tenth",
    );
  }
  if (2 * h + 2 * a > d - margin) {
    // Named is what was set: a default cannot be lowered by whoever did not write it.
    const [name, value] =
      options.heartbeatIntervalMs !== undefined
        ? (["heartbeatIntervalMs", h] as const)
        : options.attemptTimeoutMs !== undefined
          ? (["attemptTimeoutMs", a] as const)
          : (["safetyMarginMs", margin] as const);
    invalid(
      name,
      value,
      `small enough that two beats and two tries fit the lease: 2 × heartbeatIntervalMs (${String(h)}) + 2 × attemptTimeoutMs (${String(a)}) <= leaseDurationMs − safetyMarginMs (${String(d - margin)})`,
      name === "safetyMarginMs"
        ? "lower it, or set a lower attemptTimeoutMs"
        : "lower it, or raise leaseDurationMs",
    );
  }
  if (p > d / 8) {
    invalid(
      "pollIntervalMs",
      p,
      `at most an eighth of leaseDurationMs (${String(Math.floor(d / 8))})`,
      "lower it, or raise leaseDurationMs",
    );
  }
  const maxLeases = options.maxLeases === undefined ? undefined : count("maxLeases", 0, 1);
  const hardMaxLeases = options.hardMaxLeases === undefined ? undefined : count("hardMaxLeases", 0, 1);
  if (maxLeases !== undefined && hardMaxLeases !== undefined && hardMaxLeases < maxLeases) {
    invalid(
      "hardMaxLeases",
      hardMaxLeases,
      `at least maxLeases (${String(maxLeases)})`,
      "raise it, or lower maxLeases",
    );
  }
  // T rounds up, everything derived from D rounds down: both towards safety. 1.25 exceeds (1+ρ)/(1−ρ) by far.
  const expiryMs = Math.ceil(d * Math.max(1.25, (1 + clockRateBound) / (1 - clockRateBound)));
  const settleMs = Math.max(2 * p, h + p);
  const kclFailoverMs = ms("kclFailoverMs", 10_000, 1_000);
  return {
    leaseDurationMs: d,
    heartbeatIntervalMs: h,
    attemptTimeoutMs: a,
    safetyMarginMs: margin,
    expiryMs,
    pollIntervalMs: p,
    blindGapMs: Math.floor(d / 2),
    freshPlanMs: Math.max(3 * h, h + a + 2 * p),
    settleMs,
    settleLimitMs: Math.max(10 * p, 2 * settleMs),
    plannerScanIntervalMs: Math.min(10_000, Math.floor(expiryMs / 2)),
    scanIntervalMs: expiryMs,
    reconcileIntervalMs: 30_000,
    coolDownMs: Math.max(6 * p, 2 * h),
    drainMs: ms("drainMs", 30_000, 0),
    shutdownGraceMs: ms("shutdownGraceMs", 30_000, 0),
    processingTimeoutMs: ms("processingTimeoutMs", 300_000, 100),
    abortGraceMs: ms("abortGraceMs", 10_000, 0),
    sourceSilenceMs: ms("sourceSilenceMs", 300_000, 1_000),
    maxConcurrentBatches: count("maxConcurrentBatches", 64, 1),
    checkpointIntervalMs: ms("checkpointIntervalMs", 10_000, 0),
    discoveryIntervalMs: ms("discoveryIntervalMs", 30_000, 1_000),
    maxLeases,
    hardMaxLeases,
    deployHoldMs: ms("deployHoldMs", 600_000, 0),
    maxMovesInFlight:
      options.maxMovesInFlight === undefined
        ? 32
        : integer("maxMovesInFlight", options.maxMovesInFlight, 1, mostMovesInFlight, ""),
    kclFailoverMs,
    // A KCL worker renews each lease every third of its failover time.
    kclWatchMs: Math.max(expiryMs, kclRowsMs, Math.ceil((1.25 * kclFailoverMs) / 3)),
  };
}

/**
 * Checks an application's name: the lease table is named after it, the fleet table `<application>-fleet`.
 * @throws LeaseholdError `invalid-application`
 */
export function checkApplication(application: unknown): string {
  const rule =
    "3 to 249 characters of A-Z a-z 0-9 _ . -, not ending in -fleet; it names the tables <application> and <application>-fleet";
  if (typeof application !== "string" || !/^[A-Za-z0-9_.-]{3,249}$/.test(application)) {
    throw new LeaseholdError(
      "invalid-application",
      `application is ${show(application)}: it must be ${rule}`,
    );
  }
  if (application.endsWith("-fleet")) {
    throw new LeaseholdError(
      "invalid-application",
      `application is ${show(application)}: it must not end in -fleet, which is the other application's fleet table; choose another name`,
    );
  }
  return application;
}
