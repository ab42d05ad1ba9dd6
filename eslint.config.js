import path from "node:path";
import js from "@eslint/js";
import boundaries from "eslint-plugin-boundaries";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import { bansOf } from "./eslint/bans.js";
import { rooms } from "./eslint/rooms.js";

const root = import.meta.dirname;
const nodeGlobals = Object.fromEntries(
  Object.getOwnPropertyNames(globalThis).map((name) => [name, "readonly"]),
);

const importTable = {
  files: ["src/**/*.ts"],
  plugins: { boundaries },
  settings: {
    "import/resolver": { [path.join(root, "eslint/resolver.cjs")]: {} },
    "boundaries/root-path": root,
    "boundaries/files": rooms.map(({ name, pattern }) => ({ category: name, pattern })),
    "boundaries/files-single-match": true,
    "boundaries/dependency-nodes": ["import", "export", "dynamic-import", "require"],
  },
  rules: {
    "boundaries/no-unknown-files": "error",
    "boundaries/no-unknown-dependencies": "error",
    "boundaries/dependencies": [
      "error",
      {
        default: "disallow",
        policies: [
          // Packages and Node's own modules are the business of eslint/bans.js.
          { allow: { to: { module: { origin: "external" } } } },
          { allow: { to: { module: { origin: "core" } } } },
          ...rooms.map(({ name, mayImport }) => ({
            from: { file: { categories: name } },
            allow: { to: { file: { categories: { anyOf: [name, ...mayImport] } } } },
          })),
        ],
      },
    ],
  },
};

export default defineConfig(
  globalIgnores(["dist/", "coverage/", ".cache/", "localstack/", "site/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: { globals: nodeGlobals },
  },
  {
    files: ["**/*.cjs"],
    languageOptions: {
      sourceType: "commonjs",
      globals: { require: "readonly", module: "writable", __dirname: "readonly" },
    },
  },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    // One program for all: a service of the project takes a fifth longer.
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: root } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: "always" }],
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // A port promises a promise even where one adapter has nothing to wait for.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    files: ["src/**/*.ts"],
    // A file that wants to be longer has two nouns.
    rules: { "max-lines": ["error", { max: 350 }], "no-console": "error" },
  },
  importTable,
  // The inner rooms' patterns stand first in the table, but here the last block wins: hence the reverse.
  // The emulators' own CommonJS files, run by other processes, have no types to restrict.
  ...rooms
    .toReversed()
    .map(({ name, pattern }) => ({ files: [pattern], ignores: ["**/*.cjs"], rules: bansOf(name) })),
  { files: ["src/cli/**/*.ts"], rules: { "no-console": "off" } },
  {
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-expressions": "off",
      "@typescript-eslint/no-empty-function": "off",
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/only-throw-error": "off",
      "@typescript-eslint/prefer-promise-reject-errors": "off",
    },
  },
  // Run as they are, outside the compiler's project.
  { files: ["scripts/**/*.ts", "bench/**/*.ts"], extends: [tseslint.configs.disableTypeChecked] },
);
