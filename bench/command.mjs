// What every bench does as a command.
import { parseArgs } from "node:util";

/** Says what is wrong with how the bench was called, and ends with 2. */
export function refuseFor(bench) {
  return (message) => {
    console.error(`npm run bench -- ${bench}: ${message}`);
    process.exit(2);
  };
}

/** The options given, `--json` and `--write-docs` among them; what cannot be parsed is refused. */
export function optionsOf(refuse, more = {}) {
  const flag = { type: "boolean", default: false };
  try {
    return parseArgs({ options: { json: flag, "write-docs": flag, ...more } }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

/** Tells people how far it is, with the time. */
export function say(text) {
  console.error(`${new Date().toISOString().slice(11, 19)}  ${text}`);
}
