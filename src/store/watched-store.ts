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
  const watch: Watch = (operation, calling, call) => {
    calling.then(
      () => {
        if (failing.delete(operation)) emit({ type: "store-call-answered", workerId: workerId(), operation });
      },
      (error: unknown) => {
        if (isCalledOff(call)) return;
        failing.add(operation);
        emit({ type: "store-call-failed", workerId: workerId(), operation, ...symptomsOf(error) });
      },
    );
  };
  const { tables, leases, ownership, checkpoints, membership, plannerDesk, history } = store;
  return {
    tables: watchedPort("tables", tables, watch),
    leases: watchedPort("leases", leases, watch),
    ownership: watchedPort("ownership", ownership, watch),
    checkpoints: watchedPort("checkpoints", checkpoints, watch),
    membership: watchedPort("membership", membership, watch),
    plannerDesk: watchedPort("plannerDesk", plannerDesk, watch),
    history: watchedPort("history", history, watch),
    close: () => {
      store.close();
    },
  };
}

type Watch = (operation: string, calling: Promise<unknown>, call: Call | undefined) => void;
type Method = (...args: readonly unknown[]) => unknown;

/** The same methods, each watched. Made once, for a worker goes through here with every call that it makes. */
function watchedPort<Port extends object>(portName: string, port: Port, watch: Watch): Port {
  const watched: Record<string, Method> = {};
  for (const [name, method] of methodsOf(port)) {
    const operation = `${portName}.${name}`;
    watched[name] = (...args) => {
      const calling = Reflect.apply(method, port, args);
      // Watched beside the caller, who gets the very promise.
      if (calling instanceof Promise) watch(operation, calling, callIn(args));
      return calling;
    };
  }
  return watched as Port;
}

/** A port's methods by name, those of its classes included. */
function methodsOf(port: object): ReadonlyMap<string, Method> {
  const methods = new Map<string, Method>();
  for (let at: object | null = port; at !== null && at !== Object.prototype; at = parentOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const method: unknown = name === "constructor" ? undefined : Reflect.get(port, name);
      if (typeof method === "function" && !methods.has(name)) methods.set(name, method as Method);
    }
  }
  return methods;
}

function parentOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
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
