// The integration suite on one place; builds first, since its worker processes run the build.
//
//   npm run test:integration:dynalite, npm run test:integration:dynamodb-local, npm run test:localstack
import { readdirSync } from "node:fs";
import path from "node:path";
import { run } from "./run.mjs";

const folder = "test/integration/places";
const places = readdirSync(path.join(import.meta.dirname, "..", folder))
  .filter((name) => name.endsWith(".suite.ts"))
  .map((name) => name.replace(".suite.ts", ""));
const [place, ...options] = process.argv.slice(2);
if (place === undefined || !places.includes(place)) {
  console.error(`node scripts/integration.mjs ${place ?? ""}: no such place; there are ${places.join(", ")}`);
  process.exit(2);
}

const commands = [
  ["node", ["scripts/ensure-installed.mjs"]],
  ["node", ["scripts/build.mjs"]],
  ["mocha", ["--config", ".mocharc.suite.json", `${folder}/${place}.suite.ts`, ...options]],
];
for (const [command, args] of commands) {
  const { code } = await run(command, args);
  process.exitCode = code;
  if (code !== 0) break;
}
