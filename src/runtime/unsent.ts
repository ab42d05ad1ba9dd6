const unsent = new WeakMap<AbortSignal, Error>();

/**
 * Says of an attempt that its signal is giving up: its write was not sent, nor will be. Said while the signal aborts, it is
 * known when the attempt ends; the error itself would come some turns later, as the call unwinds.
 */
export function declareUnsent(signal: AbortSignal, why: Error): void {
  unsent.set(signal, why);
}

/** Why nothing was written under a signal; undefined where something may have been. */
export function whyUnsent(signal: AbortSignal): Error | undefined {
  return unsent.get(signal);
}
