import { fatalExitCode } from "../supervisor/messages.js";
import { ownParentChannel } from "../supervisor/node-processes.js";
import { ParentLink } from "../supervisor/parent-link.js";
import { systemClock } from "../runtime/system.js";
import { hasCode } from "../index.js";
import { failureOf } from "./failure.js";
import { holdOff } from "./hold-off.js";
import { write } from "./output.js";
import { isFatalAtStart, startWorker, type RunningWorker } from "./run-worker.js";
import type { RunSettings } from "./run-settings.js";
import { leaveTerminalToParent } from "./signals.js";

/** The entry of `leasehold run`'s child processes; its arguments are the label and the settings. */
async function main(label: string, settings: RunSettings): Promise<number> {
  const channel = ownParentChannel();
  if (channel === undefined) {
    await write(process.stderr, "worker-process is started by `leasehold run` only; use that\n");
    return 2;
  }
  const link = new ParentLink(channel);
  leaveTerminalToParent();
  // Our stderr may be a pipe that went with the parent: logging must not be what ends the clean stop.
  process.stderr.on("error", () => undefined);

  let worker: RunningWorker | undefined;
  const stopped = new AbortController();
  const stop = (): void => {
    stopped.abort();
    worker?.stop();
  };
  const stopOnce = holdOff(systemClock, stop);
  process.on("SIGTERM", stopOnce);
  link.parentGone.addEventListener("abort", () => {
    if (!stopped.signal.aborted) stop();
  });
  const isOrphaned = (): boolean => link.parentGone.aborted;
  if (isOrphaned()) return 0;
  try {
    worker = await startWorker({ settings, label, stopped: stopped.signal, parent: link });
    await worker?.ended;
    return 0;
  } catch (error) {
    // A parent that vanished during the start is a stop like any other.
    if (isOrphaned()) return 0;
    const { code, message } = failureOf(error);
    const hasJoined = worker?.hasJoined() === true;
    if (hasCode(error, "table-missing") || (!hasJoined && isFatalAtStart(error))) {
      await link.fatal(code, message);
      return fatalExitCode;
    }
    await write(process.stderr, `[${label}] ended: ${message} (${code})\n`);
    return 1;
  }
}

const [label = "", settings = "{}"] = process.argv.slice(2);
// What a handler leaves open (connections, timers) must not keep the process of an ended worker alive.
process.exit(await main(label, JSON.parse(settings) as RunSettings));
