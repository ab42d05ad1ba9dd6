// What a fleet of real processes takes, held to what is promised: `leasehold run` with bench/fleet/handler.mjs on DynamoDB
// Local and kinesis-local, times from the handlers' own log, on one clock.
//
//   npm run bench -- fleet [--json] [--only start,join] [--write-docs]
//
// With both, the page keeps what else it shows, and says which scenarios were measured in another run.
// The whole takes less than half an hour. Each figure is the worst of its runs; exit status 1 where a promise is not kept.
import { optionsOf, refuseFor, say } from "./command.mjs";
import { measure, scenarioNames } from "./fleet/measure.mjs";
import { verdicts } from "./fleet/reach.mjs";
import { describeRig } from "./fleet/surroundings.mjs";
import { keep, keepPart } from "./fleet/docs.mjs";
import { writePage } from "./page.mjs";
import { verdictTable } from "./verdicts.mjs";

const refuse = refuseFor("fleet");
const values = optionsOf(refuse, { only: { type: "string" } });
const wanted = values.only?.split(",").map((name) => name.trim()) ?? scenarioNames;
const unknown = wanted.filter((name) => !scenarioNames.includes(name));
if (unknown.length > 0) {
  refuse(`--only ${unknown.join(",")}: no such scenario; there are ${scenarioNames.join(", ")}`);
}
// Without this a signal would end the bench and leave its processes.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const result = await measure(wanted, say);
const rows = verdicts(result);
console.error(`\n${verdictTable(rows)}\n`);
if (values["write-docs"]) {
  const run = { ...describeRig(), ...result };
  await (values.only === undefined ? keep(run) : keepPart(wanted, run));
  await writePage();
}
if (values.json) console.log(JSON.stringify(result));
process.exit(rows.length > 0 && rows.every(({ kept }) => kept) ? 0 : 1);
