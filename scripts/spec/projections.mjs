// Which specs are followed, and how a trace is projected on each.
import * as belief from "./projections/belief.mjs";
import * as checkpoint from "./projections/checkpoint.mjs";
import * as fleet from "./projections/fleet.mjs";
import * as history from "./projections/history.mjs";
import * as tenure from "./projections/tenure.mjs";

/**
 * By spec:
 * - `tracesIn(events, { most, isExplicit, times })`: at most so many traces, those that tell most first; each `{ lease, steps, … }`
 * - `corruptionsOf(trace)`: traces made of it that are none, each `{ what, trace }`
 * - `runOf(traces)`: what TLC is to look at
 */
export const projections = {
  Belief: belief,
  Tenure: tenure,
  Checkpoint: checkpoint,
  History: history,
  Fleet: fleet,
};
