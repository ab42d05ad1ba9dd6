"use strict";
// The process of src/embedded/dynalite.ts: dynalite by its function, since its command line takes no environment.
const dynalite = require("dynalite");

const { DYNALITE_PORT, DYNALITE_TRANSITION_MS } = process.env;
const transitionMs = Number(DYNALITE_TRANSITION_MS);

dynalite({
  createTableMs: transitionMs,
  deleteTableMs: transitionMs,
  updateTableMs: transitionMs,
}).listen(Number(DYNALITE_PORT), "127.0.0.1");
