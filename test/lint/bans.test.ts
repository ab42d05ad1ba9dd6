import { expect } from "chai";
import { lintFixture, linesOf } from "./lint-fixture.js";

const banRules = [
  "no-restricted-globals",
  "no-restricted-properties",
  "no-restricted-syntax",
  "@typescript-eslint/no-restricted-imports",
];

const clocks = [
  "export const a = Date.now();",
  "export const a = Date['now']();",
  "export const { now } = Date;",
  "export const a = new Date();",
  "export const a = Date();",
  "export const D = Date;",
  "export const a = globalThis.Date.now();",
  "export const a = new global.Date();",
  "export const a = performance.now();",
  "export const a = globalThis.performance.now();",
  "export const a = global.performance.now();",
  "export const a = process.hrtime();",
  "export const a = process.hrtime.bigint();",
  "export const a = process.uptime();",
  "export const a = globalThis.process.hrtime();",
  "export const a = process.getBuiltinModule('node:timers');",
  "setTimeout(() => undefined, 1);",
  "globalThis.setTimeout(() => undefined, 1);",
  "global.setTimeout(() => undefined, 1);",
  "setInterval(() => undefined, 1);",
  "setImmediate(() => undefined);",
  "export const a = AbortSignal.timeout(1);",
  'import { setTimeout as sleep } from "node:timers/promises";',
  'import { setTimeout as sleep } from "timers/promises";',
  'import { setInterval as every } from "node:timers";',
  'import * as timers from "timers";',
  'export { setTimeout } from "node:timers";',
  'export const a = await import("node:timers/promises");',
  'import { performance as p } from "node:perf_hooks";',
  'import { performance as p } from "perf_hooks";',
  'export const a = await import("perf_hooks");',
  'import { hrtime } from "node:process";',
  'import { hrtime } from "process";',
  'import process from "node:process";',
  'import * as process from "node:process";',
  'export const a = await import("node:process");',
  'import { uptime } from "node:os";',
  'import { uptime as up } from "os";',
  'import os from "node:os";',
  'import * as os from "node:os";',
  'export * from "node:os";',
  'export const a = await import("node:os");',
];

const randomness = [
  "export const a = Math.random();",
  "export const { random } = Math;",
  "export const M = Math;",
  "export const a = globalThis.Math.random();",
  "export const a = crypto.randomUUID();",
  "export const a = crypto.getRandomValues(new Uint8Array(1));",
  "export const a = globalThis.crypto.randomUUID();",
  "export const a = global.crypto.randomUUID();",
  'import { randomUUID } from "node:crypto";',
  'import { randomUUID as id } from "crypto";',
  'import { randomBytes } from "node:crypto";',
  'import { randomInt } from "node:crypto";',
  'import { randomFillSync } from "node:crypto";',
  'import { getRandomValues } from "node:crypto";',
  'import { webcrypto } from "node:crypto";',
  'import crypto from "node:crypto";',
  'import { default as crypto } from "node:crypto";',
  'import * as crypto from "node:crypto";',
  'export * from "node:crypto";',
  'export const a = await import("node:crypto");',
];

const harmless = [
  "export const a = new Date(0).toISOString();",
  "export const b = Math.max(1, 2);",
  "export const c = (value: unknown) => value instanceof Date;",
  "export const d = (at: Date) => at.getTime();",
  "export const e = AbortSignal.any([]);",
  "export const f = (clock: { now(): number }) => clock.now();",
  'import { createHash } from "node:crypto";',
  "export const g = createHash;",
];

const everyRoom = [
  "model store store/dynamodb store/memory history tenure source source/kinesis source/fixed discovery fleet",
  "processing supervisor telemetry testing cli dashboard embedded",
]
  .join(" ")
  .split(" ");

describe("the ban on clocks and randomness", () => {
  // Apart, for an imported name would shadow the global of that name in the other fixture.
  const imports = [...clocks, ...randomness].filter((line) => / from "/.test(line));
  const statements = [...clocks, ...randomness].filter((line) => !imports.includes(line));
  const fixtures = [imports, statements];

  for (const lines of fixtures) {
    let caught: number[];
    before(async () => {
      caught = linesOf(await lintFixture("src/fleet/fixture.ts", lines), banRules);
    });
    for (const [index, line] of lines.entries()) {
      it(`fires on ${line}`, () => expect(caught).to.include(index + 1));
    }
  }

  it("holds in every room but runtime", async () => {
    const files = [
      ...everyRoom.map((room) => `src/${room}/fixture.ts`),
      ...["worker", "inspect", "index", "other"].map((name) => `src/${name}.ts`),
    ];
    // One statement for each of the four rules: a set that lost one of them to a namesake would show here.
    const lines = [
      "export const a = performance.now();",
      "export const b = Date.now();",
      "export const c = new Date();",
      'export { randomUUID } from "node:crypto";',
    ];
    for (const file of files) {
      expect(linesOf(await lintFixture(file, lines), banRules), file).to.deep.equal([1, 2, 3, 4]);
    }
  });

  it("does not hold in runtime, where clocks live", async () => {
    for (const lines of fixtures) {
      expect(linesOf(await lintFixture("src/runtime/fixture.ts", lines), banRules)).to.deep.equal([]);
    }
  });

  it("lets pass what reads neither", async () => {
    expect(linesOf(await lintFixture("src/fleet/fixture.ts", harmless), banRules)).to.deep.equal([]);
  });
});

describe("the AWS SDK", () => {
  const atRunTime = [
    'import { KinesisClient } from "@aws-sdk/client-kinesis";',
    'import "@aws-sdk/client-dynamodb";',
    'import { NodeHttpHandler } from "@smithy/node-http-handler";',
    'export { KinesisClient } from "@aws-sdk/client-kinesis";',
    'export * from "@aws-sdk/client-kinesis";',
    'export const sdk = await import("@aws-sdk/client-kinesis");',
  ];
  const asTypes = [
    'import type { KinesisClient } from "@aws-sdk/client-kinesis";',
    'export type { KinesisClient } from "@aws-sdk/client-kinesis";',
  ];
  const home = ["store/dynamodb", "source/kinesis", "source/fixed", "embedded"];

  it("is imported at run time in the adapters' rooms and embedded only", async () => {
    for (const room of [...everyRoom, "runtime"]) {
      const violations = await lintFixture(`src/${room}/fixture.ts`, atRunTime);
      const expected = home.includes(room) ? [] : [1, 2, 3, 4, 5, 6];
      expect(linesOf(violations, banRules), room).to.deep.equal(expected);
    }
  });

  it("may be named as a type anywhere", async () => {
    for (const room of [...everyRoom, "runtime"]) {
      expect(linesOf(await lintFixture(`src/${room}/fixture.ts`, asTypes), banRules), room).to.deep.equal([]);
    }
  });
});

describe("packages and modules with a room of their own", () => {
  const cases: [line: string, allowedIn: string[]][] = [
    ['import PQueue from "p-queue";', ["processing"]],
    ['import type PQueue from "p-queue";', ["processing"]],
    ['export const q = await import("p-queue");', ["processing"]],
    ['import { Command } from "commander";', ["cli"]],
    ['export const q = await import("dynalite");', ["embedded"]],
    ['export const q = await import("kinesis-local");', ["embedded"]],
    ['import { createRequire } from "node:module";', ["cli", "embedded", "supervisor"]],
    ["export const q = (name: string) => import(name);", ["cli", "embedded", "supervisor"]],
    ['import { Worker } from "leasehold";', []],
  ];

  const refusedIn = new Map<string, number[]>();
  before(async () => {
    const lines = cases.map(([line]) => line);
    for (const room of [...everyRoom, "runtime"]) {
      refusedIn.set(room, linesOf(await lintFixture(`src/${room}/fixture.ts`, lines), banRules));
    }
  });

  for (const [index, [line, allowedIn]] of cases.entries()) {
    it(`${line} passes in ${allowedIn.join(", ") || "no room"} and nowhere else`, () => {
      const passes = [...refusedIn].filter(([, lines]) => !lines.includes(index + 1)).map(([room]) => room);
      expect(passes).to.have.members(allowedIn);
    });
  }

  it("the model takes no package, and of Node only what does no I/O", async () => {
    const lines = [
      'import { readFile } from "node:fs/promises";',
      'import { connect } from "node:net";',
      'import ms from "ms";',
      'import { inspect } from "node:util";',
    ];
    expect(linesOf(await lintFixture("src/model/fixture.ts", lines), banRules)).to.deep.equal([1, 2, 3]);
  });
});
