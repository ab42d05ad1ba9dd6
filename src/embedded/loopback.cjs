"use strict";
// Loaded into an emulator's process before its own code. Emulators bind every interface; here nobody but this machine may
// reach them.
const net = require("node:net");

const loopback = "127.0.0.1";
const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function listenOnLoopback(...args) {
  const [first, second] = args;
  const isPort = typeof first === "number" || (typeof first === "string" && /^\d+$/.test(first));
  if (typeof first === "object" && first !== null && "port" in first) {
    args[0] = { ...first, host: loopback };
  } else if (isPort && typeof second === "string") {
    args[1] = loopback;
  } else if (isPort) {
    args.splice(1, second === undefined && args.length > 1 ? 1 : 0, loopback);
  } else if (first === undefined || first === null || typeof first === "function") {
    args = [0, loopback, ...args.filter((arg) => typeof arg === "function")];
  }
  return listen.apply(this, args);
};
