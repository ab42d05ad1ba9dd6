"use strict";
// Loaded into an emulator's process before its own code: it ends with the process that started it, whose end of the pipe
// closes however that one dies.
process.stdin.on("error", () => process.exit(0));
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
