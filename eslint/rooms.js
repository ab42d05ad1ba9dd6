/**
 * The import table: which room may import which, besides itself. ARCHITECTURE.md says why the cut runs here;
 * test/lint/ holds a fixture for every edge that is not listed, on which this configuration must fail.
 *
 * Order matters: the first pattern that matches a file names its room, so the deeper path stands first.
 */

const ports = ["store", "source"];
const adapters = ["store/dynamodb", "store/memory", "source/kinesis", "source/fixed"];
const inner = ["history", "tenure", "fleet", "discovery", "processing", "supervisor", "telemetry"];
const all = ["model", "runtime", ...ports, ...adapters, ...inner];
const outer = ["index", "inspect", "runtime", "supervisor"];

/** @type {{ name: string, pattern: string, mayImport: string[] }[]} */
export const rooms = [
  { name: "model", pattern: "src/model/**", mayImport: [] },
  { name: "runtime", pattern: "src/runtime/**", mayImport: ["model"] },
  { name: "store/dynamodb", pattern: "src/store/dynamodb/**", mayImport: ["model", "runtime", "store"] },
  { name: "store/memory", pattern: "src/store/memory/**", mayImport: ["model", "runtime", "store"] },
  { name: "store", pattern: "src/store/*", mayImport: ["model"] },
  { name: "source/kinesis", pattern: "src/source/kinesis/**", mayImport: ["model", "runtime", "source"] },
  { name: "source/fixed", pattern: "src/source/fixed/**", mayImport: ["model", "runtime", "source"] },
  { name: "source", pattern: "src/source/*", mayImport: ["model"] },
  { name: "history", pattern: "src/history/**", mayImport: ["model", "runtime", "store"] },
  { name: "tenure", pattern: "src/tenure/**", mayImport: ["model", "runtime", "store", "history"] },
  {
    name: "discovery",
    pattern: "src/discovery/**",
    mayImport: ["model", "runtime", "store", "history", "source"],
  },
  { name: "fleet", pattern: "src/fleet/**", mayImport: ["model", "runtime", "store", "history", "tenure"] },
  { name: "processing", pattern: "src/processing/**", mayImport: ["model", "runtime", "tenure", "source"] },
  { name: "supervisor", pattern: "src/supervisor/**", mayImport: ["model", "runtime", "store"] },
  { name: "telemetry", pattern: "src/telemetry/**", mayImport: ["model", "runtime"] },
  // An independent judge: it knows what is told, and nothing of the code that tells it (see also `bans.js`).
  { name: "testing/monitor", pattern: "src/testing/monitor/**", mayImport: ["model"] },
  // A fleet under test runs against emulators, whose starters, clients and streams are made in `embedded`.
  {
    name: "testing",
    pattern: "src/testing/**",
    mayImport: [...all, "root", "inspect", "index", "embedded", "testing/monitor"],
  },
  { name: "cli", pattern: "src/cli/**", mayImport: [...outer, "dashboard", "embedded", ...adapters] },
  { name: "dashboard", pattern: "src/dashboard/**", mayImport: outer },
  { name: "embedded", pattern: "src/embedded/**", mayImport: outer },
  { name: "index", pattern: "src/index.ts", mayImport: [...all, "root", "inspect"] },
  // Read-only, and open to the CLI and the dashboard, which reach the other composition roots by the public API.
  { name: "inspect", pattern: "src/inspect.ts", mayImport: [...all, "root"] },
  // Every other file directly in src/ is a composition root: worker.ts and its like.
  { name: "root", pattern: "src/*.ts", mayImport: [...all, "inspect"] },
];

/** Packages that belong to some rooms only. Types of the AWS SDK may be named anywhere, for they vanish. */
export const packages = [
  {
    group: ["@aws-sdk/*", "@smithy/*"],
    rooms: ["store/dynamodb", "source/kinesis", "source/fixed", "embedded"],
    typesAnywhere: true,
  },
  { group: ["p-queue"], rooms: ["processing"], typesAnywhere: false },
  { group: ["commander"], rooms: ["cli"], typesAnywhere: false },
  { group: ["dynalite", "kinesis-local"], rooms: ["embedded"], typesAnywhere: false },
];

/** Rooms that load modules whose names they learn at run time (a user's handler file, an optional emulator). */
export const loaders = ["cli", "embedded", "supervisor"];
