// The process that runs tests and seeds in a copy of the tree, as its parent sees it, and what its reports mean.
import { fork } from "node:child_process";

/** No job is to take this long: one that does has broken down, which shows nothing. */
const longestJobMs = 300_000;

/** Works, and only works, in a mutant that may be looked at. */
export const happyPath = { kind: "test", file: "test/mutants/happy-path.test.ts", titles: [] };

export class Judge {
  #child;
  #report;
  #output = "";

  constructor(copy) {
    // What runs in a copy says nothing of the coverage of the sources.
    const env = { ...process.env };
    delete env.NODE_V8_COVERAGE;
    this.#child = fork("test/mutants/judge.ts", {
      cwd: copy,
      env,
      execArgv: ["--import", "tsx/esm"],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.#output = (this.#output + text).slice(-2_000)));
    }
    this.#child.on("message", (message) => this.#report?.(message));
    this.#child.on("exit", () => this.#report?.(this.#ended()));
  }

  /** @returns the report of a job, or `{ error }` when it broke down */
  async run(job) {
    if (!this.#child.connected) return this.#ended();
    const report = new Promise((resolve) => (this.#report = resolve));
    const timer = setTimeout(() => {
      this.#report({ error: `no report within ${String(longestJobMs / 1_000)} s` });
      this.stop();
    }, longestJobMs);
    this.#child.send(job);
    return await report.finally(() => clearTimeout(timer));
  }

  stop() {
    this.#child.kill("SIGKILL");
  }

  #ended() {
    return { error: `its process ended: ${this.#output}` };
  }
}

/** What is wrong with the report of a job whose checks are all to pass; undefined when nothing is. */
export function complaintOf(job, report) {
  if (report.error !== undefined) return report.error;
  if (job.kind === "seeds") return report.fell === undefined ? report.others[0]?.what : report.fell.invariant;
  const bad = report.tests.find(({ outcome }) => outcome !== "passed");
  if (bad !== undefined) return `${bad.title}: ${bad.why}`;
  const missing = job.titles.find((title) => !report.tests.some((test) => test.title === title));
  if (missing !== undefined) return `there is no test "${missing}"`;
  return report.tests.length === 0 ? "no test ran" : undefined;
}

/**
 * Whether a killer noticed the mutant, by what it was to notice it by and nothing else.
 * @returns `{ by, seeds }`, or `{ why }` it did not
 */
export function verdictOf(killer, report) {
  if (report.error !== undefined) return { why: report.error };
  if (killer.kind === "seeds") {
    const { seeds, fell, others } = report;
    if (fell !== undefined) return { by: fell.invariant, seeds };
    const where = `seeds ${killer.scenario} ${String(killer.from)} to ${String(killer.to)}`;
    const other = others.length === 0 ? "" : `; but ${others[0].what}`;
    return { why: `${killer.falls.join(", ")} held in ${where}${other}` };
  }
  for (const title of killer.titles) {
    const test = report.tests.find((found) => found.title === title);
    if (test?.outcome === "passed") return { why: `"${title}" passes` };
    if (test?.outcome !== "failed") return { why: `"${title}" broke down: ${test?.why ?? "it did not run"}` };
  }
  return { by: killer.titles.join("; ") };
}
