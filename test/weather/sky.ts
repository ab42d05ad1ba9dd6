import { startDynalite, type Dynalite } from "../../src/embedded/dynalite.js";
import { startKinesisLocal, type KinesisLocal } from "../../src/embedded/kinesis-local.js";
import { logTo, type Logger } from "../../src/telemetry/log.js";
import type { ProxyFault } from "../../src/testing/proxy-faults.js";
import {
  createStream,
  startFaultProxy,
  type FaultProxy,
  type Seen,
  type TestFleet,
  type TestStream,
} from "../../src/testing/index.js";
import { workedIn } from "../integration/suite/worked.js";
import { builtTesting } from "../support/built.js";
import { Punctuality } from "./punctuality.js";

const handler = new URL("handler.mjs", import.meta.url);
const streamName = "weather";

/** A kind of weather, before one of the services or both. */
export interface Weather {
  readonly dynamodb?: readonly ProxyFault[];
  readonly kinesis?: readonly ProxyFault[];
  readonly forMs: number;
}

/** What a fleet did from the beginning of some weather until all was worked after it and the fleet was at rest again. */
export interface Spell {
  readonly events: readonly Seen[];
  /** Those until the weather was over. */
  readonly during: readonly Seen[];
  /** How late the machine was at the worst, ms: where processes are not let run no call keeps its time. */
  readonly lateMs: number;
  /** How long it all took, ms. */
  readonly lastedMs: number;
  /** Requests that the proxies did not let through as they came. */
  readonly faulted: number;
  /** Texts whose checkpoint got through, once for each time. */
  readonly done: readonly string[];
  /** What each worker's log says at `warn` or `error`, in its order; fewer than workers where one had nothing to say. */
  readonly told: readonly (readonly string[])[];
  /** How often the most frequent sentence of one worker's log at `warn` or `error` stands there. */
  readonly mostRepeated: { readonly times: number; readonly message: string };
}

export interface SkyOptions {
  readonly application: string;
  readonly workers: number;
  readonly shards: number;
  readonly leaseDurationMs: number;
}

/** A record every so often, ms, and so many at a time: even load, of which nothing is to be balanced. */
const putEveryMs = 250;
const putAtOnce = 12;
/** So many beats of each worker since anything moved are a fleet's rest. */
const beatsAtRest = 3;
/** The planner has looked many times then, at loads that have stood for long. */
const beatsSettled = 10;
/** What a fleet makes good in a second or two may take long on a busy machine. */
const patienceMs = 100_000;

/** What moves leases, or may soon. */
const moving: ReadonlySet<Seen["type"]> = new Set<Seen["type"]>([
  "worker-created",
  "fenced",
  "belief-lapsed",
  "directive-posted",
  "tenure-began",
  "tenure-ended",
]);

/** A fleet of processes, each of whose ways to DynamoDB and to Kinesis leads through a fault proxy. */
export class Sky {
  readonly dynamodb: FaultProxy;
  readonly kinesis: FaultProxy;
  readonly #emulators: readonly [Dynalite, KinesisLocal];
  readonly #fleet: TestFleet;
  readonly #stream: TestStream;
  readonly #punctuality: Punctuality;
  #records = 0;

  private constructor(
    emulators: readonly [Dynalite, KinesisLocal],
    proxies: readonly [FaultProxy, FaultProxy],
    fleet: TestFleet,
    stream: TestStream,
  ) {
    this.#emulators = emulators;
    [this.dynamodb, this.kinesis] = proxies;
    this.#fleet = fleet;
    this.#stream = stream;
    const [dynalite, kinesisLocal] = emulators;
    this.#punctuality = new Punctuality([dynalite.endpoint, `${kinesisLocal.endpoint}/healthcheck`]);
  }

  /** Resolves when every worker has a share and the fleet has come to rest. */
  static async of({ application, workers, shards, leaseDurationMs }: SkyOptions): Promise<Sky> {
    const { startFleet } = await builtTesting();
    const emulators = await Promise.all([startDynalite(), startKinesisLocal()]);
    const [dynamodb, kinesis] = emulators.map(({ endpoint }) => endpoint) as [string, string];
    const endpoints = { dynamodb, kinesis };
    const proxies = await Promise.all([
      startFaultProxy({ target: dynamodb }),
      startFaultProxy({ target: kinesis }),
    ]);
    const stream = await createStream({ endpoints, streamName, shards });
    // The test itself looks at the tables directly.
    const fleet = await startFleet({
      application,
      endpoints,
      stream: { streamName, idlePollIntervalMs: 200 },
      handler,
      leaseDurationMs,
      checkpointIntervalMs: 1_000,
      workers: 0,
      withinMs: 240_000,
    });
    const sky = new Sky(emulators, proxies, fleet, stream);
    const proxied = { dynamodb: proxies[0].endpoint, kinesis: proxies[1].endpoint };
    for (let i = 0; i < workers; i++) await fleet.start({ endpoints: proxied });
    await fleet.untilStatus(
      ({ leases }) => {
        const shares = fleet.workers.map(
          ({ workerId }) =>
            leases.filter(({ owner, state }) => state === "owned" && owner === workerId).length,
        );
        return leases.length === shards && Math.min(...shares) >= Math.floor(shards / workers);
      },
      { what: "every worker to have its share" },
    );
    return sky;
  }

  /** Lets the weather pass over the fleet while records come in, and waits until all of them are worked. */
  async passing({ dynamodb = [], kinesis = [], forMs }: Weather): Promise<Spell> {
    const from = this.#fleet.events.length;
    const put: string[] = [];
    for (const proxy of [this.dynamodb, this.kinesis]) proxy.resetCounts();
    this.#punctuality.reset();
    const startedMs = performance.now();
    this.dynamodb.set(...dynamodb);
    this.kinesis.set(...kinesis);
    while (performance.now() < startedMs + forMs) put.push(...(await this.#putSome()));
    const over = this.#fleet.events.length;
    const faulted = faultedBy(this.dynamodb) + faultedBy(this.kinesis);
    this.dynamodb.clear();
    this.kinesis.clear();
    await this.#atRest(over, beatsAtRest);
    await this.#fleet.until(
      () => {
        const worked = workedIn(this.#fleet.events.slice(from));
        return put.every((text) => worked.has(text));
      },
      { what: "all records to be worked", withinMs: patienceMs },
    );
    const events = this.#fleet.events.slice(from);
    const during = events.slice(0, over - from);
    const lateMs = this.#punctuality.lateMs(events);
    const lastedMs = performance.now() - startedMs;
    const done = events.flatMap((event) =>
      event.type === "logged" && event.message === "done" ? (event.fields["texts"] as readonly string[]) : [],
    );
    return { events, during, lateMs, lastedMs, faulted, done, ...logOf(events) };
  }

  /** Records come in until the planner has long found nothing to move: what the first load moves is nobody's weather. */
  async settled(): Promise<void> {
    await this.#atRest(this.#fleet.events.length, beatsSettled);
  }

  async #putSome(): Promise<readonly string[]> {
    const texts = Array.from({ length: putAtOnce }, () => `record ${String(this.#records++)}`);
    await this.#stream.put(texts);
    await new Promise((resolve) => setTimeout(resolve, putEveryMs));
    return texts;
  }

  /**
   * Resolves when every worker has beaten so often since anything moved. A call that was begun before is over by then, so
   * that its failure is told of in the weather that made it.
   */
  async #atRest(from: number, beats: number): Promise<void> {
    let resting = true;
    const rested = this.#fleet
      .until(
        ({ events, workers }) => {
          const moved = events.findLastIndex(({ type }) => moving.has(type));
          const since = events.slice(Math.max(from, moved + 1));
          const counts = new Map<string, number>();
          for (const { type, label } of since) {
            if (type === "beat-acknowledged") counts.set(label, (counts.get(label) ?? 0) + 1);
          }
          return workers.every(({ label }) => (counts.get(label) ?? 0) >= beats);
        },
        { what: "the fleet to come to rest", withinMs: patienceMs },
      )
      .finally(() => {
        resting = false;
      });
    const traffic = async (): Promise<void> => {
      while (resting) await this.#putSome();
    };
    await Promise.all([rested, traffic()]);
  }

  async close(): Promise<void> {
    await this.#punctuality.stop();
    await this.#fleet.close();
    await Promise.all([this.dynamodb.stop(), this.kinesis.stop()]);
    await Promise.all(this.#emulators.map((emulator) => emulator.stop()));
  }
}

function faultedBy({ counts }: FaultProxy): number {
  return [...counts.values()].reduce((sum, { faulted }) => sum + faulted, 0);
}

/** What the workers' logs say of these events, by the logger that ships, on the events' own times. */
function logOf(events: readonly Seen[]): Pick<Spell, "told" | "mostRepeated"> {
  const logs = new Map<string, ReturnType<typeof logTo>>();
  const told = new Map<string, string[]>();
  const counts = new Map<string, number>();
  let now: Seen | undefined;
  const clock = { now: () => ({ monoMs: now?.atMs ?? 0, bootMs: now?.atMs ?? 0, wallMs: now?.atMs ?? 0 }) };
  const complain = (_: unknown, message: string): void => {
    const label = now?.label ?? "";
    told.set(label, [...(told.get(label) ?? []), message]);
    const key = `${label} ${message.replaceAll(/\d+/g, "N")}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  const quiet = (): void => undefined;
  const logger: Logger = { debug: quiet, info: quiet, warn: complain, error: complain };
  for (const event of events) {
    if (["logged", "started", "failed", "exited"].includes(event.type)) continue;
    now = event;
    const log = logs.get(event.label) ?? logTo(logger, "weather", clock);
    logs.set(event.label, log);
    log(event as Parameters<typeof log>[0]);
  }
  const [message, times] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? ["", 0];
  return { told: [...told.values()], mostRepeated: { message, times } };
}
