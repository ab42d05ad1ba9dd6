// Whatever is to notice a mutant passes on the sources as they are.
import { complaintOf, happyPath, Judge } from "./judge.mjs";

/** A start of a process pays off over so many jobs; more at once, and one of two would wait for the other at the end. */
const jobsAtOnce = 8;

/** Everything that is to notice one of the mutants, each once: titles gathered by file, seeds by scenario. */
function jobsFor(mutants) {
  const titles = new Map();
  const seeds = new Map();
  for (const killer of mutants.flatMap(({ killers }) => killers)) {
    if (killer.kind === "test") {
      titles.set(killer.file, new Set([...(titles.get(killer.file) ?? []), ...killer.titles]));
      continue;
    }
    const { scenario, from, to } = killer;
    for (let seed = from; seed <= to; seed++) {
      seeds.set(`${scenario} ${String(seed)}`, { kind: "seeds", scenario, from: seed, to: seed, falls: [] });
    }
  }
  const tests = [...titles].map(([file, all]) => ({ kind: "test", file, titles: [...all] }));
  return [happyPath, ...tests, ...seeds.values()];
}

/**
 * @param copy the tree as it is
 * @param side how often at a time
 * @returns what is not green
 */
export async function checkBaseline(mutants, copy, side) {
  const jobs = jobsFor(mutants);
  const problems = [];
  await side(async () => {
    while (jobs.length > 0) {
      const judge = new Judge(copy);
      for (const job of jobs.splice(0, jobsAtOnce)) {
        const complaint = complaintOf(job, await judge.run(job));
        const name = job.kind === "test" ? job.file : `seed ${job.scenario} ${String(job.from)}`;
        if (complaint !== undefined) problems.push(`${name}: ${complaint}`);
      }
      judge.stop();
    }
  });
  return problems;
}
