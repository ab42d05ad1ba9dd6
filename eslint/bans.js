import { loaders, packages } from "./rooms.js";

const ask = "Take it from the runtime room's Clock or Random, so that the simulator can put its own in.";

/** Modules that are nothing but clocks, with and without `node:`. */
const clockModules = ["timers", "timers/promises", "perf_hooks"];

/** Modules of which only some names read a clock or draw randomness. `default` would smuggle in all of them. */
const mixedModules = {
  crypto: "^(default|webcrypto|random.*|getRandom.*|generate.*)$",
  os: "^(default|uptime)$",
  process: "^(default|hrtime|uptime|getBuiltinModule)$",
};

const bothNames = (name) => [name, `node:${name}`];
const anyOf = (names) => names.map((name) => name.replace("/", "\\/").replace("*", "[^\\/]+")).join("|");

const clockGlobals = [
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  // Web Crypto is banned whole: hashing comes from an import of node:crypto.
  "crypto",
];

const clockProperties = [
  ["Date", "now"],
  ["Math", "random"],
  ["AbortSignal", "timeout"],
  ["process", "hrtime"],
  ["process", "uptime"],
  ["process", "getBuiltinModule"],
  ...["globalThis", "global"].flatMap((object) => [
    [object, "Date"],
    [object, "Math"],
    [object, "AbortSignal"],
    [object, "process"],
  ]),
  // The rule for globals sees through globalThis only.
  ...clockGlobals.map((name) => ["global", name]),
].map(([object, property]) => ({ object, property, message: ask }));

const clockSyntax = [
  "NewExpression[callee.name='Date'][arguments.length=0]",
  "CallExpression[callee.name='Date']",
  // An alias would hide what is done with it.
  "VariableDeclarator[init.name=/^(Date|Math|AbortSignal)$/][id.type='Identifier']",
  `ImportExpression[source.value=/^(node:)?(${anyOf([...clockModules, ...Object.keys(mixedModules)])})$/]`,
].map((selector) => ({ selector, message: ask }));

const clockImports = [
  ...clockModules.map((name) => ({ group: bothNames(name), message: ask })),
  ...Object.entries(mixedModules).map(([name, importNamePattern]) => ({
    group: bothNames(name),
    importNamePattern,
    message: ask,
  })),
];

/** What holds in every room: no edge may hide from the import table. */
const hiddenEdges = [
  {
    selector: "TSImportType",
    message: "Import the type at the head of the file: the import table counts it.",
  },
];

const loaderEdges = [
  {
    selector: "ImportExpression:not([source.type='Literal'])",
    message: "Only the rooms that load a user's or an optional module import by a computed name.",
  },
];

function foreignPackages(room) {
  return packages.filter((entry) => !entry.rooms.includes(room));
}

/** Patterns for `no-restricted-imports` that hold in a room whatever it may read of clocks. */
function packageImports(room) {
  const imports = foreignPackages(room).map(({ group, rooms, typesAnywhere }) => ({
    group,
    allowTypeImports: typesAnywhere,
    message: `Imported at run time in ${rooms.join(", ")} only.`,
  }));
  imports.push({ regex: "^leasehold(/|$)", message: "Import a file of this package by its path." });
  if (!loaders.includes(room)) {
    imports.push({
      group: bothNames("module"),
      importNamePattern: "^(default|createRequire)$",
      message: "An import that the import table cannot see.",
    });
  }
  if (room === "testing/monitor") {
    const message = "The monitor knows the type of the events and nothing else.";
    imports.push({ regex: "/model/(?!events\\.js$)|^[^.]", message });
    imports.push({ regex: "/model/events\\.js$", allowTypeImports: true, message });
  }
  if (room === "model") {
    const message = "The model is pure: no packages, and of Node only what does no I/O.";
    imports.push({ regex: "^(?!\\.|node:|@aws-sdk/|@smithy/)", message });
    imports.push({ regex: "^node:(?!(util|crypto|buffer|assert)$)", message });
  }
  return imports;
}

/**
 * All bans of one room, whole: in flat configuration a rule replaces its namesake, so two sets that both say
 * `no-restricted-syntax` would not add up.
 */
export function bansOf(room) {
  const clocksAllowed = room === "runtime";
  const dynamic = foreignPackages(room).map(({ group, rooms }) => ({
    selector: `ImportExpression[source.value=/^(${anyOf(group)})(\\/|$)/]`,
    message: `Imported in ${rooms.join(", ")} only.`,
  }));
  return {
    "no-restricted-globals": clocksAllowed
      ? "off"
      : [
          "error",
          {
            globals: clockGlobals.map((name) => ({ name, message: ask })),
            checkGlobalObject: true,
          },
        ],
    "no-restricted-properties": clocksAllowed ? "off" : ["error", ...clockProperties],
    "no-restricted-syntax": [
      "error",
      ...hiddenEdges,
      ...(loaders.includes(room) ? [] : loaderEdges),
      ...dynamic,
      ...(clocksAllowed ? [] : clockSyntax),
    ],
    "@typescript-eslint/no-restricted-imports": [
      "error",
      { patterns: [...packageImports(room), ...(clocksAllowed ? [] : clockImports)] },
    ],
  };
}
