// What a large fleet costs its planner and its workers: `plan()` by itself, and a round of the control loop of a worker
// that ships, on the memory store; for 1,000 leases on 10 workers, 10,000 on 100 and 100,000 on 1,000.
//
//   npm run bench -- planner [--json] [--write-docs]
//
// Takes a few minutes. Exit status 1 where a promise is not kept.
import { optionsOf, refuseFor, say } from "./command.mjs";
import { describeRig } from "./fleet/surroundings.mjs";
import { writePage } from "./page.mjs";
import { cellTable, keep } from "./planner/docs.mjs";
import { measure } from "./planner/measure.mjs";
import { verdicts } from "./planner/reach.mjs";
import { verdictTable } from "./verdicts.mjs";

const values = optionsOf(refuseFor("planner"));
const result = await measure(say);
const rows = verdicts(result);
console.error(`\n${cellTable(result)}\n\n${verdictTable(rows)}\n`);
if (values["write-docs"]) {
  await keep({ ...describeRig({}), ...result });
  await writePage();
}
if (values.json) console.log(JSON.stringify(result));
process.exit(rows.every(({ kept }) => kept) ? 0 : 1);
