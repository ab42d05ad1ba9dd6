import { expect } from "chai";

/** What scripts/spec exports: plain JavaScript, which runs without a build. */
interface Output {
  readOutput: (output: string, properties: readonly string[]) => Run & { trace: string };
}
interface Run {
  completed: boolean;
  states: number;
  violated?: string;
  actions: number;
  neverEnabled: string[];
}
interface Models {
  mutated: (text: string, name: string, rule: string, breaks: string) => string;
  partsOf: (text: string) => { kept: string; invariants: string[]; properties: string[] };
}

interface Verdict {
  least: { statesOfEach: number; statesOfAll: number; mutants: number };
  faultsOf: (run: Run) => string[];
  faultsOfAll: (summary: { configs: { states: number }[]; mutants: unknown[] }) => string[];
}

const load = async (name: string): Promise<unknown> =>
  (await import(new URL(`../../scripts/spec/${name}`, import.meta.url).href)) as unknown;

const message = (kind: number, text: string): string =>
  `@!@!@STARTMSG ${kind}:0 @!@!@\n${text}\n@!@!@ENDMSG ${kind} @!@!@\n`;

const counts = message(2199, "9 states generated, 7 distinct states found, 0 states left on queue.");
const completed = message(2193, "Model checking completed. No error has been found.");
const action = (name: string, taken: string): string =>
  message(2772, `<${name} line 7, col 1 to line 7, col 2 of module Toy>: ${taken}`);
const coverage = (...actions: string[]): string =>
  message(2201, "The coverage statistics at 2026-11-25 23:55:22") + actions.join("");

describe("the runner of the specs", () => {
  let readOutput: Output["readOutput"];
  let models: Models;
  let verdict: Verdict;

  before(async () => {
    ({ readOutput } = (await load("output.mjs")) as Output);
    models = (await load("models.mjs")) as Models;
    verdict = (await load("verdict.mjs")) as Verdict;
  });

  it("reads that a configuration holds, and in how many distinct states", () => {
    const read = readOutput(`Parsing file Toy.tla\n${completed}${counts}`, []);
    expect(read).to.deep.include({ completed: true, states: 7, violated: undefined });
  });

  it("takes no run for one that holds when TLC gave up before the end", () => {
    const read = readOutput(message(1000, "java.lang.OutOfMemoryError") + counts, ["Live"]);
    expect(read).to.deep.include({ completed: false, violated: undefined });
  });

  it("names the invariant that broke, with the behaviour that broke it", () => {
    const output =
      message(2110, "Invariant S6 is violated.") +
      message(2217, "1: <Initial predicate>\n/\\ now = 0\n") +
      message(2217, "2: <Tick line 9, col 12 to line 9, col 58 of module Toy>\n/\\ now = 1\n");
    const { violated, trace } = readOutput(output, []);
    expect(violated).to.equal("S6");
    expect(trace).to.match(/now = 0[^]*Tick[^]*now = 1/);
  });

  it("names what broke in the first state, and what broke in a step", () => {
    expect(readOutput(message(2107, "Invariant S1 is violated by the initial state:"), []).violated).to.equal(
      "S1",
    );
    expect(readOutput(message(2112, "Action property S5 is violated."), []).violated).to.equal("S5");
  });

  it("gives a temporal property, which TLC does not name, the name of what was checked", () => {
    const output = message(2116, "Temporal properties were violated.");
    expect(readOutput(output, ["L6"]).violated).to.equal("L6");
    expect(readOutput(output, ["L1", "L6"]).violated).to.equal("L1 or L6");
  });

  it("reports the actions that the last coverage shows never taken, also when tried", () => {
    const early = coverage(action("Beat", "0:0"), action("Fence", "0:0"));
    const last = coverage(
      action("Beat", "0:4"),
      action("Fence", "0:0"),
      action("Take", "0:0"),
      action("Take", "1:1"),
    );
    expect(readOutput(early + completed + last, []).neverEnabled).to.deep.equal(["Fence"]);
  });

  describe("takes a configuration for one that holds", () => {
    const large = message(
      2199,
      "900000 states generated, 200000 distinct states found, 0 states left on queue.",
    );
    const all = coverage(action("Beat", "4:4"), action("Fence", "1:2"));

    it("when TLC went through enough states, and took every action", () => {
      expect(verdict.faultsOf(readOutput(completed + all + large, []))).to.deep.equal([]);
    });

    it("but not when nothing was told of its actions", () => {
      for (const output of [completed + large, completed + coverage() + large]) {
        expect(verdict.faultsOf(readOutput(output, []))).to.deep.equal(["TLC told of no action"]);
      }
    });

    it("nor when it broke, was given up or never took an action", () => {
      const broken = message(2110, "Invariant S6 is violated.") + all + large;
      expect(verdict.faultsOf(readOutput(broken, []))).to.deep.equal(["broken: S6"]);
      expect(verdict.faultsOf(readOutput(all + large, []))).to.deep.equal(["broken: TLC gave up"]);
      const never =
        completed + coverage(action("Beat", "4:4"), action("Fence", "0:2"), action("Take", "0:0"));
      expect(verdict.faultsOf(readOutput(never + large, []))).to.deep.equal(["never enabled: Take"]);
    });

    it("nor when it has too few states, and says so", () => {
      const small = large.replace(" 200000 ", " 199999 ");
      expect(verdict.faultsOf(readOutput(completed + all + small, []))).to.deep.equal([
        "199,999 states are fewer than 200,000",
      ]);
    });
  });

  it("asks for enough states and mutants in all", () => {
    const { statesOfAll, mutants } = verdict.least;
    const configs = [{ states: statesOfAll - 200_000 }, { states: 200_000 }];
    const enough = Array.from({ length: mutants }, () => ({}));
    expect(verdict.faultsOfAll({ configs, mutants: enough })).to.deep.equal([]);
    expect(verdict.faultsOfAll({ configs: configs.slice(0, 1), mutants: enough.slice(1) })).to.deep.equal([
      "2,800,000 states in all are fewer than 3,000,000",
      "19 mutants are fewer than 20",
    ]);
  });

  describe("makes a mutant of a configuration", () => {
    const text = [
      "\\* Toy.tla: small",
      "SPECIFICATION Spec",
      "CONSTANTS",
      "  D = 2",
      "  Without = {}",
      "INVARIANTS TypeOK S1 \\* not S9",
      "  S6",
      "PROPERTY L6",
      "SYMMETRY Symmetry",
    ].join("\n");

    it("which lacks the rule and checks only what must break", () => {
      const mutant = models.mutated(text, "m", "one-rule", "S6");
      expect(mutant)
        .to.include('Without = {"one-rule"}')
        .and.include("D = 2")
        .and.include("SYMMETRY Symmetry");
      expect(models.partsOf(mutant)).to.deep.include({ invariants: ["S6"], properties: [] });
    });

    it("of a temporal property likewise", () => {
      const parts = models.partsOf(models.mutated(text, "m", "one-rule", "L6"));
      expect(parts).to.deep.include({ invariants: [], properties: ["L6"] });
    });

    it("and refuses one whose configuration does not check it, or has a rule too few already", () => {
      expect(() => models.mutated(text, "m", "one-rule", "S9")).to.throw(
        "m.json: its configuration does not check S9",
      );
      const other = text.replace("{}", '{"another"}');
      expect(() => models.mutated(other, "m", "one-rule", "S6")).to.throw(
        'm.json: its configuration has no "Without = {}"',
      );
    });
  });
});
