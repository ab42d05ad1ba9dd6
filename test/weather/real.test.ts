import { inBadWeather } from "./real-cases.js";

// One of the kinds, that the plain test run sees real processes in bad weather too; all of them are in `real.suite.ts`.
inBadWeather(["half of all calls to the store throttled"]);
