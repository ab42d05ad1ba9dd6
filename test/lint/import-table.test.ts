import { expect } from "chai";
import { lintFixture, linesOf, type Violation } from "./lint-fixture.js";

// The table of ARCHITECTURE.md, written a second time on purpose: a slip in eslint/rooms.js must not pass unseen.
const table: Record<string, string> = {
  model: "",
  runtime: "model",
  store: "model",
  "store/dynamodb": "model runtime store",
  "store/memory": "model runtime store",
  history: "model runtime store",
  tenure: "model runtime store history",
  source: "model",
  "source/kinesis": "model runtime source",
  "source/fixed": "model runtime source",
  discovery: "model runtime store history source",
  fleet: "model runtime store history tenure",
  processing: "model runtime tenure source",
  supervisor: "model runtime store",
  telemetry: "model runtime",
  "worker.ts":
    "model runtime store store/dynamodb store/memory history tenure source source/kinesis source/fixed " +
    "discovery fleet processing supervisor telemetry inspect.ts",
  "inspect.ts":
    "model runtime store store/dynamodb store/memory history tenure source source/kinesis source/fixed " +
    "discovery fleet processing supervisor telemetry worker.ts",
  "index.ts":
    "model runtime store store/dynamodb store/memory history tenure source source/kinesis source/fixed " +
    "discovery fleet processing supervisor telemetry worker.ts inspect.ts",
  "testing/monitor": "model",
  testing:
    "model runtime store store/dynamodb store/memory history tenure source source/kinesis source/fixed " +
    "discovery fleet processing supervisor telemetry worker.ts inspect.ts index.ts embedded testing/monitor",
  cli:
    "index.ts runtime supervisor inspect.ts dashboard embedded " +
    "store/dynamodb store/memory source/kinesis source/fixed",
  dashboard: "index.ts runtime supervisor inspect.ts",
  embedded: "index.ts runtime supervisor inspect.ts",
};

const rooms = Object.keys(table);
const edgeRules = ["boundaries/dependencies", "no-restricted-syntax"];

const fileIn = (room: string) => (room.endsWith(".ts") ? `src/${room}` : `src/${room}/fixture.ts`);

function specifier(from: string, to: string): string {
  const up = "../".repeat(fileIn(from).split("/").length - 2) || "./";
  return up + fileIn(to).replace("src/", "").replace("fixture", "other").replace(".ts", ".js");
}

/** Every way TypeScript has to name another file; each counts as an edge. */
function formsOf(path: string, at: number): string[] {
  return [
    `import { a${at} } from "${path}";`,
    `import type { B${at} } from "${path}";`,
    `import { type C${at} } from "${path}";`,
    `import "${path}";`,
    `export { d${at} } from "${path}";`,
    `export type { E${at} } from "${path}";`,
    `export * from "${path}";`,
    `export const f${at} = await import("${path}");`,
    `export type G${at} = import("${path}").T;`,
  ];
}

const formCount = formsOf("", 0).length;
// `import("x").T` is banned outright, so an allowed edge is tried by the other forms.
const allowedForms = formCount - 1;

describe("the import table", () => {
  for (const from of rooms) {
    const allowed = (table[from] ?? "").split(" ").filter(Boolean);
    const others = rooms.filter((room) => room !== from);
    const forbidden = others.filter((room) => !allowed.includes(room));

    describe(from, () => {
      let violations: Violation[];
      const firstLine = (to: string) => others.indexOf(to) * formCount + 1;

      before(async () => {
        const lines = others.flatMap((to, at) => formsOf(specifier(from, to), at));
        violations = await lintFixture(fileIn(from), lines);
      });

      const caught = (to: string, rules: string[]) =>
        linesOf(violations, rules)
          .map((line) => line - firstLine(to))
          .filter((form) => form >= 0 && form < formCount);

      for (const to of forbidden) {
        it(`must not import ${to}, in any form`, () => {
          expect(caught(to, edgeRules)).to.deep.equal([...Array(formCount).keys()]);
        });
      }

      if (allowed.length > 0) {
        it(`may import ${allowed.join(", ")}`, () => {
          for (const to of allowed) {
            const refused = caught(to, ["boundaries/dependencies"]).filter((form) => form < allowedForms);
            expect(refused, to).to.deep.equal([]);
          }
        });
      }

      it("may import its own files", async () => {
        const own = from.endsWith(".ts") ? [] : formsOf("./neighbour.js", 0).slice(0, allowedForms);
        expect(linesOf(await lintFixture(fileIn(from), own), edgeRules)).to.deep.equal([]);
      });
    });
  }

  it("knows no other rooms", async () => {
    const violations = await lintFixture("src/cellar/fixture.ts", ['import "../model/lease.js";']);
    expect(linesOf(violations, ["boundaries/no-unknown-files"])).to.deep.equal([1]);
  });

  it("lets no room import a file that is in none", async () => {
    const lines = ['import "../../test/hooks.js";', 'import "../cellar/wine.js";'];
    const violations = await lintFixture("src/fleet/fixture.ts", lines);
    expect(linesOf(violations, ["boundaries/no-unknown-dependencies"])).to.deep.equal([1, 2]);
  });

  it("takes any further file directly in src/ for a composition root", async () => {
    const lines = ['import "./worker.js";', 'import "./fleet/planner.js";', 'import "./testing/index.js";'];
    const violations = await lintFixture("src/other.ts", lines);
    expect(linesOf(violations, ["boundaries/dependencies"])).to.deep.equal([3]);
  });

  it("leaves tests alone", async () => {
    const lines = ['import "../../src/fleet/planner.js";', 'import "../../src/testing/index.js";'];
    expect(linesOf(await lintFixture("test/fleet/fixture.test.ts", lines), edgeRules)).to.deep.equal([]);
  });
});
