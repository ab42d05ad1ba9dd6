// One of the processes that run seeds: takes a seed, sends what became of it, and takes the next.
import { pathToFileURL } from "node:url";

// Simulated stores fail by the thousand, and a stack trace costs more than the failure. Who looks into a seed runs it
// by itself, with stack traces.
Error.stackTraceLimit = 0;

const [file, hours] = process.argv.slice(2);
const { runSeed, useLightSignals } = await import(pathToFileURL(file).href);
useLightSignals?.();

process.on("message", (seed) => {
  // What runSeed itself throws is no outcome: as an unhandled rejection it ends this process, which is noticed.
  void runSeed(seed, { hours: hours === "hours" }).then((outcome) => process.send(outcome));
});
process.on("disconnect", () => process.exit());
process.send("ready");
