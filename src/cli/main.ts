#!/usr/bin/env node
import { runProgram } from "./program.js";

// A reader that went away (`| head`) is not worth a stack trace.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

// What a handler leaves open (connections, timers) must not keep an ended command alive.
process.exit(await runProgram(process.argv.slice(2)));
