// Real worker processes on DynamoDB Local and kinesis-local, abused: killed, stopped for longer than their leases last, cut
// off from their store, under a stream that is split and merged. Then held to what is promised: no record is lost, no two
// believe in one lease at once, the history has no gap, no process hangs or ends unasked.
//
//   npm run chaos -- [--minutes 3] [--seed 1] [--json]
//
// The seed decides what is done, to whom and when; what real processes make of it is never the same twice. Exit status 1
// where a promise is broken or too little was done, 2 where it was called wrongly. The logs of a run that fails are kept, and
// of every run .cache/chaos/last-trace.ndjson: what its processes told, for `npm run spec:traces -- --file`.
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { chaosOptions, UsageError } from "./chaos/options.mjs";
import { build, unpackInto } from "./chaos/package.mjs";

const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)}  ${text}`);

function optionsOf(args) {
  try {
    return chaosOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`npm run chaos: ${error.message}`);
    process.exit(2);
  }
}

const { minutes, seed, json } = optionsOf(process.argv.slice(2));
const kept = path.join(import.meta.dirname, "../.cache/chaos");
const run = path.join(kept, `seed-${seed}-${process.pid}`);
const folders = {
  run,
  journals: path.join(run, "journals"),
  package: path.join(run, "package"),
  trace: path.join(kept, "last-trace.ndjson"),
};
// By an exit, so that what hangs on that is done: its processes end with it.
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(name, () => {
    console.error(`ended by ${name}; its logs are in ${run}`);
    process.exit(1);
  });
}

build();
rmSync(run, { recursive: true, force: true });
mkdirSync(folders.journals, { recursive: true });
unpackInto(run);
// Only now: it imports what was built.
const { chaos } = await import("./chaos/run.mjs");
try {
  const { result, failures } = await chaos({ minutes, seed, folders, say });
  for (const failure of failures) console.error(`FAILED  ${failure}`);
  if (failures.length === 0) rmSync(run, { recursive: true, force: true });
  else console.error(`its logs are kept in ${run}`);
  if (json) console.log(JSON.stringify({ ...result, failures }));
  else console.log(tableOf(result));
  process.exitCode = failures.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`the run broke off: ${error.stack}\nits logs are kept in ${run}`);
  process.exitCode = 1;
}

function tableOf({ orphanMs, faults, ...rest }) {
  const flat = { ...rest, ...named("orphanMs", orphanMs), ...named("faults", faults) };
  const width = Math.max(...Object.keys(flat).map(({ length }) => length));
  return Object.entries(flat)
    .map(([name, value]) => `${name.padEnd(width)}  ${value}`)
    .join("\n");
}

function named(prefix, fields) {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${prefix}.${name}`, value]));
}
