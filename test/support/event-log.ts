import type { LeaseholdEvent } from "../../src/index.js";

/** Keeps a worker's events and resolves when one that is waited for has come. */
export class EventLog {
  readonly events: LeaseholdEvent[] = [];
  readonly #waiting = new Set<() => void>();

  /** To be given as `onEvent`. */
  readonly take = (event: LeaseholdEvent): void => {
    this.events.push(event);
    for (const look of this.#waiting) look();
  };

  of<Type extends LeaseholdEvent["type"]>(type: Type): Extract<LeaseholdEvent, { type: Type }>[] {
    return this.events.filter(
      (event): event is Extract<LeaseholdEvent, { type: Type }> => event.type === type,
    );
  }

  /** Resolves as soon as the condition holds; it is looked at after each event. The test's own timeout bounds it. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}
