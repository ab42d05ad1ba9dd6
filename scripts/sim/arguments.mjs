import { parseArgs } from "node:util";

/** A command line that cannot be obeyed: its message names the flag, the value and the remedy. */
export class UsageError extends Error {}

const options = {
  seeds: { type: "string" },
  from: { type: "string" },
  seed: { type: "string" },
  minutes: { type: "string" },
  trace: { type: "boolean", default: false },
  "no-hours": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
};
const names = Object.keys(options).map((name) => `--${name}`);

/**
 * @returns {{ seed: number, trace: boolean, hours: boolean, json: boolean } | { from: number, seeds: number, minutes: number, hours: boolean, json: boolean }}
 * @throws UsageError
 */
export function readArguments(argv) {
  const values = parse(argv);
  const { json, trace } = values;
  const hours = !values["no-hours"];
  if (values.seed !== undefined) {
    const beside = ["seeds", "from", "minutes"].filter((name) => values[name] !== undefined);
    if (beside.length > 0) {
      throw new UsageError(
        `--${beside[0]} beside --seed ${values.seed}: --seed runs that one alone; leave one of the two out`,
      );
    }
    return { seed: whole("seed", values.seed, 17), trace, hours, json };
  }
  if (trace) throw new UsageError("--trace without --seed: say whose trace, as in --seed 17 --trace");
  if (values.seeds === undefined && values.minutes === undefined) {
    throw new UsageError("neither --seeds, --minutes nor --seed: say what to run, as in --seeds 300");
  }
  return {
    from: whole("from", values.from ?? "1", 1),
    seeds: values.seeds === undefined ? 0 : whole("seeds", values.seeds, 300),
    minutes: values.minutes === undefined ? 0 : positive("minutes", values.minutes, 5),
    hours,
    json,
  };
}

function parse(argv) {
  try {
    return parseArgs({ args: argv, options }).values;
  } catch (error) {
    // Node's own sentence names the flag or the value, and goes on about a syntax that nobody needs here.
    throw new UsageError(`${error.message.split(". ")[0]}; there are ${names.join(", ")}`, { cause: error });
  }
}

function whole(name, text, example) {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new UsageError(
    `--${name} ${text}: it must be a whole number from 1 up, as in --${name} ${String(example)}`,
  );
}

function positive(name, text, example) {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new UsageError(`--${name} ${text}: it must be a number above 0, as in --${name} ${String(example)}`);
}
