/**
 * Resolves after one turn of the host's event loop. Every promise continuation that can run without a timer or the
 * network has run by then: the queue of microtasks is empty before a turn begins.
 */
export function yieldToHost(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Runs a function in a turn of the host's event loop of its own, in which no promise continuation runs yet. */
export function inHostTurn<T>(fn: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(fn());
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

/** Node's own way to empty the queue of continuations, of old and without documentation: it may go one day. */
const { _tickCallback: emptyQueue } = process as { readonly _tickCallback?: () => void };

/** Whether this host can do it: elsewhere only a turn of its event loop runs them. */
export function canRunContinuations(): boolean {
  return typeof emptyQueue === "function";
}

/** Runs every promise continuation that can run, before it returns; only from within `inHostTurn`. */
export function runContinuations(): void {
  emptyQueue?.();
}
