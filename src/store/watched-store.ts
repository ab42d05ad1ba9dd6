import { LeaseholdError, messageOf, StoreError } from "../model/errors.js";
import type { Emit } from "../model/events.js";
import { isCalledOff, type Call } from "./call.js";
import type { Store } from "./store.js";

/**
 * Tells of every call to a store that brought no outcome, and of the first answer of the same operation after it. Here, at
 * the door, none is missed: not the attempts that a later one makes good, and not those of which nobody else speaks.
 * @param workerId the worker's present id: it changes with each incarnation
 */
export function watchedStore(store: Store, workerId: () => string, emit: Emit): Store {
  const failing = new Set<string>();
  const watch = async (
    operation: string,
    calling: Promise<unknown>,
    call: Call | undefined,
  ): Promise<void> => {
    try {
      await calling;
    } catch (error) {
      if (isCalledOff(call)) return;
      failing.add(operation);
      emit({ type: "store-call-failed", workerId: workerId(), operation, ...symptomsOf(error) });
      return;
    }
    if (failing.delete(operation)) emit({ type: "store-call-answered", workerId: workerId(), operation });
  };
  const watched = new Map<unknown, object>();
  return new Proxy(store, {
    get: (ports, name) => {
      const port: unknown = Reflect.get(ports, name);
      if (typeof port !== "object" || port === null) return port;
      const watching = watched.get(port) ?? watchedPort(String(name), port, watch);
      watched.set(port, watching);
      return watching;
    },
  });
}

type Watch = (operation: string, calling: Promise<unknown>, call: Call | undefined) => Promise<void>;

function watchedPort(portName: string, port: object, watch: Watch): object {
  const watched = new Map<unknown, (...args: readonly unknown[]) => unknown>();
  return new Proxy(port, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      let watching = watched.get(method);
      if (watching === undefined) {
        const operation = `${portName}.${String(name)}`;
        watching = (...args) => {
          const calling: unknown = Reflect.apply(method, target, args);
          // Watched beside the caller, who gets the very promise.
          if (calling instanceof Promise) void watch(operation, calling, callIn(args));
          return calling;
        };
        watched.set(method, watching);
      }
      return watching;
    },
  });
}

/** Every port takes its call last. */
function callIn(args: readonly unknown[]): Call | undefined {
  const last = args.at(-1);
  if (typeof last !== "object" || last === null || !("signal" in last)) return undefined;
  return last.signal instanceof AbortSignal ? { signal: last.signal } : undefined;
}

function symptomsOf(error: unknown): { code: string; error: string; retryable: boolean; call?: string } {
  return {
    code: error instanceof LeaseholdError ? error.code : "unknown",
    error: messageOf(error),
    retryable: error instanceof LeaseholdError && error.retryable,
    ...(error instanceof StoreError && error.call !== undefined ? { call: error.call } : {}),
  };
}
