/**
 * Resolves after one turn of the host's event loop. Every promise continuation that can run without a timer or the
 * network has run by then: the queue of microtasks is empty before a turn begins.
 */
export function yieldToHost(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
