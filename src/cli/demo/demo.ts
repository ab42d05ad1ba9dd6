import { DemoStream } from "../../embedded/demo-stream.js";
import { startDynalite } from "../../embedded/dynalite.js";
import { checkEmulators } from "../../embedded/installed.js";
import { startKinesisLocal } from "../../embedded/kinesis-local.js";
import { sleep } from "../../runtime/clock.js";
import { systemClock } from "../../runtime/system.js";
import { CommandError, write } from "../output.js";
import { onStopSignals } from "../signals.js";
import { Board } from "./board.js";
import { Chaos } from "./chaos.js";
import { Crew, type Member } from "./crew.js";
import { loadFlights } from "./flights.js";
import { closeBooks, ledgerText, type DemoResult } from "./ledger.js";
import type { FromWorker, ToWorker } from "./messages.js";
import { Producer } from "./producer.js";
import { ownerTable, Screen } from "./screen.js";
import { Sink } from "./sink.js";

export interface DemoSettings {
  readonly shards: number;
  readonly workers: number;
  readonly records: number;
  readonly leaseDurationMs: number;
  /** Stdout is for one JSON object: the ledger goes to stderr. */
  readonly json: boolean;
}

const application = "leasehold-demo";
const streamName = "flights";
const clock = systemClock;
/** How long the last records may take after the last was put. */
const catchUpMs = 30_000;

/** Runs the whole demo and cleans up after itself, whatever happens. */
export async function runDemo(settings: DemoSettings): Promise<DemoResult> {
  checkEmulators(["kinesis-local", "dynalite"]);
  const screen = new Screen({ clock, out: process.stderr });
  const abort = new AbortController();
  const takeOff = onStopSignals((signal) => {
    abort.abort(new CommandError("demo-stopped", `the demo was stopped by ${signal}`));
  });
  /** What is to be put away at the end, the last first. */
  const cleanUps: (() => unknown)[] = [takeOff];
  try {
    return await demo(settings, screen, abort, cleanUps);
  } finally {
    abort.abort();
    screen.close();
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  }
}

async function demo(
  settings: DemoSettings,
  screen: Screen,
  abort: AbortController,
  cleanUps: (() => unknown)[],
): Promise<DemoResult> {
  const { signal } = abort;
  const { flights, source } = loadFlights();
  screen.say(`starting kinesis-local with ${String(settings.shards)} shards, and dynalite, on loopback`);
  const { stream, env } = await startEmulators(settings.shards, cleanUps);
  signal.throwIfAborted();

  const sink = new Sink();
  const board = new Board((text) => {
    screen.note(text);
  });
  const producer = new Producer({
    clock,
    stream,
    flights,
    records: settings.records,
    // All that happens to the workers takes about so long: two waits for silence, and what does not depend on D.
    paceMs: 12_000 + 3 * settings.leaseDurationMs,
  });
  const waiting = new Map<Member, () => void>();
  const crew = new Crew({
    clock,
    env,
    settings: { application, streamName, leaseDurationMs: settings.leaseDurationMs },
    onMessage: (member, message) => hear(member, message),
    onLost: (member, how) => {
      abort.abort(new CommandError("demo-failed", `worker process ${member.label} ended by itself (${how})`));
    },
  });
  cleanUps.push(() => crew.stop());

  function hear(member: Member, message: FromWorker): ToWorker | undefined {
    switch (message.demo) {
      case "event":
        board.hear(member.label, message.event);
        return undefined;
      case "working":
        waiting.get(member)?.();
        return undefined;
      case "log":
        screen.note(message.line);
        return undefined;
      case "write": {
        const ok = sink.write(message);
        if (!ok)
          screen.note(`the sink refused a late write of ${member.label}: its fencing token is too small`);
        return { demo: "written", id: message.id, ok };
      }
    }
  }

  screen.say(`putting ${String(settings.records)} records (${source})`);
  screen.show({ board, crew, sink, records: settings.records, put: () => producer.put });
  const produced = producer.run(signal).catch((error: unknown) => {
    abort.abort(error);
  });
  const chaos = new Chaos({
    clock,
    crew,
    board,
    sink,
    stream,
    workers: settings.workers,
    leaseDurationMs: settings.leaseDurationMs,
    say: (text) => {
      screen.say(text);
    },
    nextWork: (member) =>
      new Promise((resolve) => {
        waiting.set(member, () => {
          waiting.delete(member);
          resolve();
        });
      }),
    signal,
  });
  const times = await chaos.run();
  producer.hurry();
  await produced;
  signal.throwIfAborted();
  screen.say(`all records are put; ${String(settings.records - sink.records)} are on their way`);
  await catchUp(sink, settings.records, signal);

  screen.say("stopping the workers");
  await crew.stop();
  screen.close();
  const books = { source, producer, sink, board, times };
  const result = closeBooks(books);
  const owners = process.stderr.isTTY ? [] : ["", ...ownerTable(board, sink)];
  const out = settings.json ? process.stderr : process.stdout;
  await write(out, `${[...owners, ledgerText(books, result)].join("\n")}\n`);
  return result;
}

/** Starts both emulators, with the stream, and says how workers reach them. */
async function startEmulators(
  shards: number,
  cleanUps: (() => unknown)[],
): Promise<{ readonly stream: DemoStream; readonly env: NodeJS.ProcessEnv }> {
  const started = await Promise.allSettled([
    startKinesisLocal({ streams: { [streamName]: shards } }),
    startDynalite(),
  ]);
  // Noted before anything is thrown: one may run although the other does not.
  for (const result of started) {
    if (result.status === "fulfilled") cleanUps.push(() => result.value.stop());
  }
  const [kinesis, dynamodb] = started;
  if (kinesis.status === "rejected") throw kinesis.reason;
  if (dynamodb.status === "rejected") throw dynamodb.reason;
  const { endpoint, region } = kinesis.value;
  const stream = new DemoStream({ endpoint, region, streamName, clock });
  cleanUps.push(() => {
    stream.close();
  });
  return { stream, env: workerEnvironment(endpoint, dynamodb.value.endpoint, region) };
}

/** What the workers see of the environment: nothing of the user's own AWS account. */
function workerEnvironment(kinesis: string, dynamodb: string, region: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  return {
    ...Object.fromEntries(inherited),
    AWS_ENDPOINT_URL_KINESIS: kinesis,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: "demo",
    AWS_SECRET_ACCESS_KEY: "demo",
    AWS_EC2_METADATA_DISABLED: "true",
    // The SDK's word on Node's versions, once a process, would stand in the middle of the picture.
    NODE_NO_WARNINGS: "1",
  };
}

async function catchUp(sink: Sink, records: number, signal: AbortSignal): Promise<void> {
  const startedAtMs = clock.now().monoMs;
  while (sink.records < records && !signal.aborted) {
    // Not an error: the ledger says how many are lost.
    if (clock.now().monoMs - startedAtMs > catchUpMs) return;
    await sleep(clock, 50, signal);
  }
  signal.throwIfAborted();
}
