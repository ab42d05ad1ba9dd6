/** The signals by which people, shells and service managers end a program. */
const stopSignals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * Calls `stop` at every such signal. Only the command line asks for this: a library that did would take the decision from
 * its user.
 * @returns takes the handlers off again
 */
export function onStopSignals(stop: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of stopSignals) process.on(signal, stop);
  return () => {
    for (const signal of stopSignals) process.off(signal, stop);
  };
}

/** A terminal signals the whole group: a supervised child leaves that to its parent, which passes ONE stop on. */
export function leaveTerminalToParent(): void {
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
}
