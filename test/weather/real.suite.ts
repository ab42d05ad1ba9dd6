import { inBadWeather, kinds } from "./real-cases.js";

inBadWeather(Object.keys(kinds));
