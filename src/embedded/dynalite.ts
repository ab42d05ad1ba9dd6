import { fileURLToPath } from "node:url";
import type { Clock } from "../runtime/clock.js";
import { systemClock } from "../runtime/system.js";
import { EmulatorProcess, freePorts } from "./emulator-process.js";
import { checkEmulators } from "./installed.js";

export interface DynaliteOptions {
  /** How long a table stays CREATING, UPDATING or DELETING, ms. Default 50. */
  readonly transitionMs?: number;
  /** Time until it must answer, ms. Default 15,000. */
  readonly readyWithinMs?: number;
  readonly clock?: Clock;
}

/**
 * A DynamoDB of one's own, for demos and tests, in memory. It has no transactions and no time to live, and does not
 * return the row on which a condition failed.
 */
export interface Dynalite {
  /** `http://127.0.0.1:<port>`; any region and credentials will do. */
  readonly endpoint: string;
  readonly pid: number | undefined;
  /** Ends the process and waits until it is gone. */
  stop(): Promise<void>;
}

/** A port that was free may have been taken before the emulator bound it. */
const startsAtMost = 3;

/**
 * Starts dynalite in a process of its own, on a free port of the loopback interface, and waits until it answers. The
 * process ends with this one.
 * @throws Error when the package is not installed, or it does not start
 */
export async function startDynalite(options: DynaliteOptions = {}): Promise<Dynalite> {
  const { transitionMs = 50, readyWithinMs = 15_000, clock = systemClock } = options;
  checkEmulators(["dynalite"]);
  const script = fileURLToPath(new URL("dynalite-server.cjs", import.meta.url));
  for (let starts = 1; ; starts++) {
    const [port] = await freePorts(1);
    const env = { DYNALITE_PORT: String(port), DYNALITE_TRANSITION_MS: String(transitionMs) };
    const emulator = new EmulatorProcess("dynalite", script, env, clock);
    const endpoint = `http://127.0.0.1:${String(port)}`;
    try {
      await emulator.ready(endpoint, readyWithinMs);
      return { endpoint, pid: emulator.pid, stop: () => emulator.stop() };
    } catch (error) {
      await emulator.stop();
      if (starts >= startsAtMost) throw error;
    }
  }
}
