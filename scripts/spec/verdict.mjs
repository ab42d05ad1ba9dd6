// What counts as checked: a model too small, or a run that measured nothing, shows nothing although it breaks nothing.

export const least = { statesOfEach: 200_000, statesOfAll: 3_000_000, mutants: 20 };

/**
 * Why a configuration does not count as one that holds; empty if it does.
 * @param {{ completed: boolean, states: number, violated: string | undefined, actions: number, neverEnabled: string[] }} run
 * @returns {string[]}
 */
export function faultsOf({ completed, states, violated, actions, neverEnabled }) {
  if (violated !== undefined) return [`broken: ${violated}`];
  if (!completed) return ["broken: TLC gave up"];
  const faults = [];
  // Without a word about actions nobody knows whether any was taken.
  if (actions === 0) faults.push("TLC told of no action");
  if (neverEnabled.length > 0) faults.push(`never enabled: ${neverEnabled.join(", ")}`);
  if (states < least.statesOfEach) {
    faults.push(`${amount(states)} states are fewer than ${amount(least.statesOfEach)}`);
  }
  return faults;
}

/**
 * Why all together are too few, although each is as it should be.
 * @param {{ configs: { states: number }[], mutants: unknown[] }} summary
 * @returns {string[]}
 */
export function faultsOfAll({ configs, mutants }) {
  const faults = [];
  const states = configs.reduce((sum, one) => sum + one.states, 0);
  if (states < least.statesOfAll) {
    faults.push(`${amount(states)} states in all are fewer than ${amount(least.statesOfAll)}`);
  }
  if (mutants.length < least.mutants) {
    faults.push(`${amount(mutants.length)} mutants are fewer than ${amount(least.mutants)}`);
  }
  return faults;
}

function amount(number) {
  return number.toLocaleString("en");
}
