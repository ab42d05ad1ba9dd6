import path from "node:path";
import type { Clock } from "../runtime/clock.js";
import { systemClock } from "../runtime/system.js";
import { EmulatorProcess, freePorts } from "./emulator-process.js";
import { checkEmulators, emulatorModule } from "./installed.js";

export interface KinesisLocalOptions {
  /** Streams that exist from the start, with how many shards each. Default none. */
  readonly streams?: Readonly<Record<string, number>>;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** How long a stream's change of state takes (creation, split, merge), ms. Default 50. */
  readonly transitionMs?: number;
  /** Time until it must answer, ms. Default 30,000. */
  readonly readyWithinMs?: number;
  readonly clock?: Clock;
}

/** A Kinesis of one's own, for demos and tests. Speaks HTTP/1.1. */
export interface KinesisLocal {
  /** `http://127.0.0.1:<port>`; any credentials will do. */
  readonly endpoint: string;
  readonly region: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** A port that was free may have been taken before the emulator bound it. */
const startsAtMost = 3;

/**
 * Starts kinesis-local in a process of its own, on a free port of the loopback interface, and waits until it answers.
 * The process ends with this one.
 * @throws Error when the package is not installed, or it does not start
 */
export async function startKinesisLocal(options: KinesisLocalOptions = {}): Promise<KinesisLocal> {
  const { region = "us-east-1", readyWithinMs = 30_000, clock = systemClock } = options;
  checkEmulators(["kinesis-local"]);
  const script = emulatorModule("kinesis-local");
  for (let starts = 1; ; starts++) {
    const [port, tlsPort] = await freePorts(2);
    const emulator = new EmulatorProcess(
      "kinesis-local",
      script,
      {
        ...environment(options, path.join(path.dirname(script), "server.json")),
        AWS_REGION: region,
        KINESIS_MOCK_PLAIN_PORT: String(port),
        KINESIS_MOCK_TLS_PORT: String(tlsPort),
      },
      clock,
    );
    const endpoint = `http://127.0.0.1:${String(port)}`;
    try {
      await emulator.ready(`${endpoint}/healthcheck`, readyWithinMs);
      return { endpoint, region, pid: emulator.pid, stop: () => emulator.stop() };
    } catch (error) {
      await emulator.stop();
      if (starts >= startsAtMost) throw error;
    }
  }
}

function environment(options: KinesisLocalOptions, certificate: string): Record<string, string> {
  const streams = Object.entries(options.streams ?? {}).map(([name, shards]) => `${name}:${String(shards)}`);
  const transition = `${String(options.transitionMs ?? 50)}ms`;
  return {
    KINESIS_MOCK_CERT_PATH: certificate,
    LOG_LEVEL: "ERROR",
    SHARD_LIMIT: "2000",
    CREATE_STREAM_DURATION: transition,
    DELETE_STREAM_DURATION: transition,
    SPLIT_SHARD_DURATION: transition,
    MERGE_SHARDS_DURATION: transition,
    UPDATE_SHARD_COUNT_DURATION: transition,
    ...(streams.length === 0 ? {} : { INITIALIZE_STREAMS: streams.join(",") }),
  };
}
