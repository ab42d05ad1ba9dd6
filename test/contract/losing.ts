import { StoreError } from "../../src/model/errors.js";
import type { Store } from "../../src/store/store.js";

/** A store whose calls are made in full, and whose answers are lost on the way back. */
export function losingAnswers(store: Store): Store {
  const lose = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return async (...args: readonly unknown[]) => {
          await (Reflect.apply(method, target, args) as Promise<unknown>);
          throw new StoreError("store-timeout", "the answer was lost", { retryable: true, ambiguous: true });
        };
      },
    });
  return {
    ...store,
    ownership: lose(store.ownership),
    checkpoints: lose(store.checkpoints),
    membership: lose(store.membership),
    plannerDesk: lose(store.plannerDesk),
    history: lose(store.history),
  };
}
