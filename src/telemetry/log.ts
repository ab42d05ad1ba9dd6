import type { Emit, LeaseholdEvent } from "../model/events.js";
import type { Clock } from "../runtime/clock.js";
import { sourceOperation, troubleOf } from "./trouble-of.js";
import { Troubles } from "./troubles.js";

/** The logger that this package writes to: pino's shape, and console's is close enough to wrap. */
export interface Logger {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Who is told of a worker's events. */
export interface EventSinks {
  readonly logger?: Logger;
  readonly onEvent?: (event: LeaseholdEvent) => void;
}

type Level = keyof Logger;

interface Line {
  readonly level: Level;
  readonly message: string;
}

export function emitTo(
  { logger, onEvent }: EventSinks,
  application: string,
  clock: Pick<Clock, "now">,
): Emit {
  const sinks: Emit[] = [];
  if (logger !== undefined) sinks.push(logTo(logger, application, clock));
  if (onEvent !== undefined) sinks.push(onEvent);
  return (event) => {
    for (const sink of sinks) sink(event);
  };
}

/**
 * Turns events into log lines. Every change of owner is one line at `info`, with lease, epoch, from, to and reason: written
 * by whoever begins the tenure, a handed-over one too, or gives the lease back. What happens all the time (beats, batches)
 * is `debug`. What is wrong is said at once in one sentence, then once a minute with its count while it goes on (every
 * single one at `debug`), and a line says when it is over.
 */
export function logTo(logger: Logger, application: string, clock: Pick<Clock, "now">): Emit {
  const troubles = new Troubles(clock);
  return (event) => {
    if (event.type === "store-call-answered") troubles.answered(event.operation);
    else if (event.type === "source-answered") troubles.answered(sourceOperation);
    for (const { level, message, ...counts } of troubles.due()) {
      logger[level]({ application, workerId: event.workerId, ...counts }, message);
    }
    const { level, message } = lineOf(event);
    const fields = { application, ...fieldsOf(event) };
    if (level !== "warn" && level !== "error") {
      logger[level](fields, message);
      return;
    }
    const line = troubles.seen(troubleOf(event, level, message));
    const { since, times } = line;
    logger[line.level](times === 1 ? fields : { ...fields, since, times }, line.message);
  };
}

/** The fields of a change of owner are named for people who look for it; everything else keeps its event's names. */
function fieldsOf(event: LeaseholdEvent): Readonly<Record<string, unknown>> {
  switch (event.type) {
    case "tenure-began": {
      const { type, workerId, leaseKey: lease, epoch, how: reason, from, checkpoint } = event;
      return { type, lease, epoch, from: from ?? null, to: workerId, reason, checkpoint };
    }
    case "handed-off": {
      const { type, workerId, leaseKey: lease, epoch, target, reason } = event;
      return { type, lease, epoch: epoch + 1, from: workerId, to: target, reason };
    }
    case "released": {
      const { type, workerId, leaseKey: lease, epoch, reason } = event;
      return { type, lease, epoch: epoch + 1, from: workerId, to: null, reason };
    }
    default:
      return { ...event };
  }
}

// Spelled out by type, so that a new event cannot be forgotten here: the compiler asks for its line.
const lines: { readonly [Type in LeaseholdEvent["type"]]: Line } = {
  "worker-created": { level: "info", message: "worker created" },
  "worker-ended": { level: "info", message: "worker ended" },
  "beat-sent": { level: "debug", message: "beat sent" },
  "beat-acknowledged": { level: "debug", message: "beat acknowledged" },
  "beat-withheld": { level: "error", message: "beat withheld: the control loop makes no rounds" },
  "belief-lapsed": { level: "warn", message: "belief lapsed: no beat was acknowledged in time" },
  "force-fenced": { level: "warn", message: "fenced by an operator: hands over until its belief ends" },
  draining: { level: "info", message: "draining" },
  "leave-sent": { level: "info", message: "leaving" },
  "capability-missing": { level: "warn", message: "the store cannot do something that can be done without" },
  "store-failed": { level: "debug", message: "store operation failed" },
  "store-call-failed": { level: "warn", message: "store call failed" },
  "store-call-answered": { level: "debug", message: "store call answered after failures" },
  "source-fallback": {
    level: "warn",
    message: "the source is read in a way that costs more CPU from now on",
  },
  "table-differs": {
    level: "warn",
    message:
      "a table that exists is not what the options ask for, and is not changed: change it, or the option",
  },
  "tenure-began": { level: "info", message: "lease changed owner" },
  "tenure-ended": { level: "debug", message: "tenure ended" },
  "tenure-raised": { level: "warn", message: "epoch raised after a checkpoint of unknown outcome" },
  "history-archived": { level: "debug", message: "previous tenure stands in the history" },
  "change-failed": { level: "debug", message: "change of owner refused or unknown" },
  "handed-off": { level: "debug", message: "lease handed off" },
  released: { level: "info", message: "lease released" },
  checkpointed: { level: "debug", message: "checkpointed" },
  "checkpoint-refused": { level: "warn", message: "checkpoint refused" },
  "fence-sent": { level: "debug", message: "fence sent" },
  fenced: { level: "warn", message: "worker fenced: silent for too long" },
  "fence-refused": { level: "debug", message: "fence refused: the worker beats" },
  "fence-seen": { level: "info", message: "a worker was fenced or left" },
  "tombstone-created": { level: "warn", message: "leases name a worker without a row: tombstone created" },
  "worker-collected": { level: "debug", message: "fenced worker's row collected" },
  "observers-named": { level: "debug", message: "observers named" },
  "observer-assigned": { level: "debug", message: "observer assigned" },
  "orphans-seen": { level: "debug", message: "leases without an owner" },
  "planner-claimed": { level: "debug", message: "planner lease claimed" },
  planned: { level: "debug", message: "a round was planned" },
  "planner-elected": { level: "info", message: "became the planner" },
  "format-raised": {
    level: "info",
    message: "format raised: versions that do not read it are refused from now on",
  },
  "planner-deposed": { level: "info", message: "is the planner no more" },
  "directive-posted": { level: "info", message: "move planned" },
  "directive-answered": { level: "debug", message: "planned move answered" },
  "note-answered": { level: "debug", message: "handoff noted" },
  reconciled: { level: "warn", message: "a row names this worker without a tenure: put right" },
  "lease-invalid": { level: "error", message: "lease row cannot be read" },
  "kcl-watched": {
    level: "warn",
    message:
      "the lease table has rows of a Java KCL fleet: nothing is taken before they have stood still for forMs; if no Java worker runs, just wait",
  },
  "kcl-stood-still": { level: "info", message: "the Java KCL fleet's rows stood still: it is gone" },
  "kcl-seen": {
    level: "error",
    message:
      "somebody who is no worker of this fleet writes the lease table, a Java KCL fleet most likely: stop all Java workers, or use another application name",
  },
  "lease-usurped": {
    level: "error",
    message:
      "lease taken by somebody who is no worker of this fleet, a Java KCL worker most likely: work on it stops",
  },
  overflow: { level: "warn", message: "lease taken above maxLeases: nobody else took it" },
  "lease-created": { level: "info", message: "lease created" },
  "lease-marked": { level: "info", message: "finished lease marked deleted" },
  "lease-removed": { level: "debug", message: "old deletion mark removed" },
  "discovery-failed": { level: "error", message: "discovery failed" },
  "partition-vanished": { level: "warn", message: "partition is gone from its source" },
  "batch-started": { level: "debug", message: "batch started" },
  "batch-finished": { level: "debug", message: "batch finished" },
  "batch-returned": { level: "debug", message: "batch came back after its end" },
  drained: { level: "debug", message: "drained: no work is under way" },
  "batch-dropped": { level: "debug", message: "batch dropped: its lease ended before it started" },
  "processor-failed": { level: "error", message: "processor failed" },
  "lease-lost-told": { level: "warn", message: "lease lost" },
  "processor-stuck": { level: "error", message: "processor stuck: neither returned nor made progress" },
  "stuck-processor-returned": { level: "warn", message: "stuck processor returned" },
  "source-failed": { level: "warn", message: "source failed" },
  "source-answered": { level: "debug", message: "source answered after failures" },
  "partition-ended": { level: "info", message: "partition ended" },
};

function lineOf(event: LeaseholdEvent): Line {
  return lines[event.type];
}
