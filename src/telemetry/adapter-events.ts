import type { Emit } from "../model/events.js";

/** What adapters tell of themselves, as events of the worker that runs on them. */
export function adapterEvents(emit: Emit, workerId: () => string) {
  return {
    onCapability: ({ name, present, reason = "the store does not say why" }: Capability) => {
      if (!present) emit({ type: "capability-missing", workerId: workerId(), capability: name, reason });
    },
    onTableDifference: (difference: TableDifference) => {
      emit({ type: "table-differs", workerId: workerId(), ...difference });
    },
    onFallback: (reason: string) => {
      emit({ type: "source-fallback", workerId: workerId(), reason });
    },
  };
}

interface Capability {
  readonly name: string;
  readonly present: boolean;
  readonly reason?: string;
}

interface TableDifference {
  readonly table: string;
  readonly option: string;
  readonly difference: string;
}
