import { drawScenario, type ScenarioShape } from "../../src/testing/scenario-draw.js";
import type { Scenario } from "../../src/testing/scenario.js";

/** The faults of every seed, in fleets so small that thirty of them take some seconds: there are many mutants to kill. */
const small: ScenarioShape = { machines: [3, 6], shards: [6, 16], warmUpMs: 12_000, runMs: 92_000 };

/** The scenarios that a mutant's seeds are drawn for, by name. */
export const scenarios: Readonly<Record<string, (seed: number) => Scenario>> = {
  any: (seed) => drawScenario(seed, small),
  rolling: (seed) => drawScenario(seed, { ...small, theme: "rolling" }),
  /** As long as the seeds are: a shorter deploy leaves a planner no time to fill anybody. */
  deploy: (seed) => drawScenario(seed, { theme: "deploy" }),
  /** More than eight observe by threes. */
  large: (seed) => drawScenario(`large ${String(seed)}`, { ...small, machines: [9, 14] }),
};
