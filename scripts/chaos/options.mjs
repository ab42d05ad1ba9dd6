// The flags of `npm run chaos`.
import { parseArgs } from "node:util";

const known = ["--minutes", "--seed", "--json"];
const leastMinutes = 0.5;
const mostMinutes = 24 * 60;

/** A command line that cannot be obeyed: its message names the flag, its value and the remedy. */
export class UsageError extends Error {}

/** @throws UsageError */
export function chaosOptions(args) {
  const { values, tokens } = parseArgs({
    args,
    strict: false,
    tokens: true,
    options: { minutes: { type: "string" }, seed: { type: "string" }, json: { type: "boolean" } },
  });
  const seen = new Set();
  for (const { kind, rawName, name, value } of tokens) {
    if (kind !== "option") {
      throw new UsageError(`${value ?? "--"} is no flag: give ${known.join(", ")} and their values only`);
    }
    if (!known.includes(rawName)) {
      throw new UsageError(`${rawName} is no flag: there are ${known.join(", ")}; leave it out`);
    }
    if (seen.has(name)) throw new UsageError(`${rawName} is given twice: leave one of them out`);
    seen.add(name);
    if (name === "json" && value !== undefined) {
      throw new UsageError(`--json is given the value ${value}: it takes none; leave =${value} out`);
    }
    if (name !== "json" && (value === undefined || value.startsWith("--"))) {
      throw new UsageError(`${rawName} has no value: put one behind it, as in ${rawName} 3`);
    }
  }
  const minutes = values.minutes === undefined ? 3 : Number(values.minutes);
  if (!/^\d+(\.\d+)?$/.test(values.minutes ?? "3") || minutes < leastMinutes || minutes > mostMinutes) {
    throw new UsageError(
      `--minutes ${values.minutes}: it must be a number from ${leastMinutes} to ${mostMinutes}, as in --minutes 3; leave it out for 3`,
    );
  }
  const seed = values.seed === undefined ? 1 : Number(values.seed);
  if (!/^\d{1,15}$/.test(values.seed ?? "1")) {
    throw new UsageError(
      `--seed ${values.seed}: it must be an integer from 0 up, of 15 digits at most, as in --seed 7; leave it out for 1`,
    );
  }
  return { minutes, seed, json: values.json === true };
}
