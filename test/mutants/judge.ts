import path from "node:path";
import Mocha from "mocha";
import { messageOf } from "../../src/model/errors.js";
import { simulate } from "../../src/testing/simulator.js";
import { invariantNames, InvariantViolation } from "../../src/testing/violation.js";
import { mochaHooks } from "../hooks.js";
import { scenarios } from "./scenarios.js";

// A process of its own in a private copy of the tree, mutated or not: runs the happy path, then what is to notice the
// mutant, and tells its parent. It judges nothing: `scripts/mutants.mjs` does.

/** Tests by their full titles; all of the file where none is named. */
interface TestsJob {
  readonly kind: "test";
  readonly file: string;
  readonly titles: readonly string[];
}

/** Seeds one after the other, until one of these invariants falls. */
interface SeedsJob {
  readonly kind: "seeds";
  readonly scenario: string;
  readonly from: number;
  readonly to: number;
  readonly falls: readonly string[];
}

type Job = TestsJob | SeedsJob;

interface TestReport {
  readonly title: string;
  readonly outcome: "passed" | "failed" | "broken";
  readonly why?: string;
}

/** What a check of ours throws. All else, a time-out say, is a breakdown and shows nothing. */
const verdicts = new Set(["AssertionError", "InvariantViolation"]);

function reportOf(test: Mocha.Test | Mocha.Hook, error: unknown): TestReport {
  const isVerdict = test.type === "test" && error instanceof Error && verdicts.has(error.name);
  return { title: test.fullTitle(), outcome: isVerdict ? "failed" : "broken", why: messageOf(error) };
}

async function runTests(job: TestsJob): Promise<{ readonly tests: readonly TestReport[] }> {
  const mocha = new Mocha({
    timeout: 20_000,
    reporter: function silent() {} as never,
    rootHooks: mochaHooks,
  });
  mocha.addFile(path.resolve(job.file));
  await mocha.loadFilesAsync();
  if (job.titles.length > 0) {
    const escaped = job.titles.map((title) => title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    mocha.grep(new RegExp(`^(?:${escaped.join("|")})$`));
  }
  const reports: TestReport[] = [];
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => {
      resolve();
    });
    runner.on("pass", (test) => reports.push({ title: test.fullTitle(), outcome: "passed" }));
    runner.on("fail", (test: Mocha.Test | Mocha.Hook, error: unknown) => reports.push(reportOf(test, error)));
  });
  return { tests: reports };
}

interface SeedsReport {
  /** How many were run. */
  readonly seeds: number;
  /** Of one of the invariants that are to fall. */
  readonly fell?: { readonly seed: number; readonly invariant: string };
  /** What else went wrong, by seed. */
  readonly others: readonly { readonly seed: number; readonly what: string }[];
}

async function runSeeds({ scenario, from, to, falls }: SeedsJob): Promise<SeedsReport> {
  const draw = scenarios[scenario];
  if (draw === undefined) throw new Error(`there is no scenario ${scenario}`);
  const unknown = falls.filter((name) => !(invariantNames as readonly string[]).includes(name));
  if (unknown.length > 0) throw new Error(`there is no invariant ${unknown.join(", ")}`);
  const others: { seed: number; what: string }[] = [];
  for (let seed = from; seed <= to; seed++) {
    try {
      // The monitor sees much before the invariant that a patch names, and would hide that it falls.
      await simulate(draw(seed), { monitored: falls.includes("monitor") });
    } catch (error) {
      if (error instanceof InvariantViolation && falls.includes(error.invariant)) {
        return { seeds: seed - from + 1, fell: { seed, invariant: error.invariant }, others };
      }
      others.push({ seed, what: messageOf(error).split("\n")[0] ?? "" });
    }
  }
  return { seeds: to - from + 1, others };
}

process.on("message", (job: Job) => {
  const running = job.kind === "test" ? runTests(job) : runSeeds(job);
  running.then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.({ error: messageOf(error) }),
  );
});

// Nobody is left to tell.
process.on("disconnect", () => process.exit());
