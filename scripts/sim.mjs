// Runs seeds of the simulation, in as many processes as there are cores, on the compiled classes that ship.
//
//   npm run sim -- --seeds 1000              seeds 1 to 1000; --from S: from S on
//   npm run sim -- --minutes 5               for so long; with --seeds: at least that many as well
//   npm run sim -- --seed 17                 one seed; --trace: its events, one JSON object a line on stdout
//   --no-hours                               one seed in 50 is an hour of a large fleet; not so with this, as in npm test
//   --json                                   one object as stdout's last line, in place of the table
//
// Ends with 1 when an invariant is violated, and when something that must be exercised never was (not asked of one
// seed alone). npm prints a banner of its own; `npm run --silent sim -- …` does not.
import { main } from "./sim/main.mjs";

process.exitCode = await main(process.argv.slice(2));
