import type { Random } from "../../runtime/random.js";
import { analyse, type ChaosAnalysis, type Overlap } from "./analysis.js";
import type { ChaosRun, Journal, JournalLine } from "./journal.js";
import { stretchesOf } from "./stretches.js";
import { checkRun } from "./trace.js";

/** Whether the analysis sees what it is there for, in this run's own journals. */
export interface SelfTest {
  readonly ok: boolean;
  /** What it did not find, or found that was not there; empty when all is well. */
  readonly problems: readonly string[];
}

/** Who believes falsely. */
const planted = "planted";

/**
 * Plants in copies of a run's journals what must not be (a second believer, a record worked after the end of a belief, a
 * checkpoint accepted after a later owner's, a record that nobody worked, a step that the protocol does not allow), and holds
 * analysis and monitor to find each of them and nothing else.
 */
export function selfTest(run: ChaosRun, leaseDurationMs: number, random: Pick<Random, "next">): SelfTest {
  const before = analyse(run);
  const problems = [
    ...[secondBeliever, lateRecord, lateCheckpoint, lostRecord].flatMap((plant) =>
      plant(run, before, random),
    ),
    ...secondBirth(run, leaseDurationMs, random),
  ];
  return { ok: problems.length === 0, problems };
}

type Plant = (run: ChaosRun, before: ChaosAnalysis, random: Pick<Random, "next">) => readonly string[];

/** Somebody believes for an instant in the middle of somebody else's belief. */
const secondBeliever: Plant = (run, before, random) => {
  const stretch = pick(
    run.journals.flatMap(stretchesOf).filter(({ from, to }) => to - from > 1),
    random,
  );
  if (stretch === undefined) return ["there is no stretch of belief to plant a second believer in"];
  const { lease, epoch, from, to } = stretch;
  const at = (from + to) / 2;
  const line = { worker: planted, lease, epoch: epoch + 1, at };
  const journal: Journal = { name: planted, lines: [{ what: "belief", ...line, until: at + (to - at) / 2 }] };
  const after = analyse({ ...run, journals: [...run.journals, journal] });
  const news = after.overlaps.filter(
    (overlap) =>
      overlap.kind === "two-believers" &&
      [overlap.first, overlap.second].some((one) => one.worker === planted) &&
      [overlap.first, overlap.second].some(
        (one) => one.worker === stretch.worker && one.lease === lease && one.epoch === epoch,
      ),
  );
  return only("a second believer", news.length, after.overlaps.length - before.overlaps.length);
};

/** A record is worked an instant after the belief that it was worked under. */
const lateRecord: Plant = (run, before, random) => {
  const candidates = run.journals.filter(({ lines }) => lines.some(({ what }) => what === "record"));
  const journal = pick(candidates, random);
  const records = journal?.lines.filter((line) => line.what === "record") ?? [];
  const record = pick(records, random);
  const stretch =
    journal === undefined || record === undefined
      ? undefined
      : stretchesOf(journal).find(
          ({ worker, lease, epoch }) =>
            worker === record.worker && lease === record.lease && epoch === record.epoch,
        );
  if (journal === undefined || record === undefined || stretch === undefined) {
    return ["there is no record to plant a late one after"];
  }
  const lateAt = stretch.until + 1;
  // Beyond the last line only a process that was killed would have died later; then it did.
  const late = { ...record, from: lateAt, at: lateAt + 1 };
  const journals = run.journals.map((one) =>
    one === journal ? { ...one, lines: [...one.lines, late] } : one,
  );
  const after = analyse({ ...run, journals });
  const news = after.overlaps.filter(
    (overlap) =>
      overlap.kind === "outside-belief" &&
      overlap.process === journal.name &&
      overlap.record === record.record,
  );
  const old = before.overlaps.filter((overlap) => overlap.kind === "outside-belief");
  const all = after.overlaps.filter((overlap) => overlap.kind === "outside-belief");
  return only("a late record", news.length, all.length - old.length);
};

/** A process whose write the sink would have refused, had it come so late, gets its checkpoint accepted all the same. */
const lateCheckpoint: Plant = (run, before, random) => {
  const records = run.journals.flatMap((journal) =>
    journal.lines.flatMap((line) => (line.what === "record" ? [{ journal, line }] : [])),
  );
  const found = pick(records, random);
  if (found === undefined) return ["there is no record to plant a late checkpoint after"];
  const { worker, lease, epoch, at } = found.line;
  const late: JournalLine = { what: "late-checkpoint", at, worker, lease, epoch };
  const journals = run.journals.map((one) =>
    one === found.journal
      ? { ...one, lines: one.lines.flatMap((line) => (line === found.line ? [line, late] : [line])) }
      : one,
  );
  const after = analyse({ ...run, journals });
  const isPlanted = (overlap: Overlap): boolean =>
    overlap.kind === "late-checkpoint" &&
    overlap.process === found.journal.name &&
    overlap.lease === lease &&
    overlap.epoch === epoch;
  const news = after.overlaps.filter(isPlanted).length - before.overlaps.filter(isPlanted).length;
  return only("a late checkpoint", news, after.overlaps.length - before.overlaps.length);
};

/** Nobody has worked a record that somebody has. */
const lostRecord: Plant = (run, before, random) => {
  const lost = new Set(before.lost);
  const id = pick(
    run.put.filter((one) => !lost.has(one)),
    random,
  );
  if (id === undefined) return ["there is no record to plant a loss of"];
  const journals = run.journals.map((journal) => ({
    ...journal,
    lines: journal.lines.filter((line) => line.what !== "record" || line.id !== id),
  }));
  const after = analyse({ ...run, journals });
  return only("a lost record", after.lost.includes(id) ? 1 : 0, after.lost.length - before.lost.length);
};

/** A worker is created that has just been created. */
function secondBirth(
  run: ChaosRun,
  leaseDurationMs: number,
  random: Pick<Random, "next">,
): readonly string[] {
  const births = run.journals.flatMap(({ lines }) => lines.filter(isBirth));
  const birth = pick(births, random);
  if (birth === undefined) return ["there is no worker to plant a second birth of"];
  // By its own process and in the same instant: what the first one did since remains the doing of a worker that is there.
  const journals = run.journals.map((journal) => ({
    ...journal,
    lines: journal.lines.flatMap((line) => (line === birth ? [line, line] : [line])),
  }));
  const before = checkRun(run, leaseDurationMs).violations;
  const after = checkRun({ journals }, leaseDurationMs).violations;
  const isTwice = ({ rule }: { readonly rule: string }): boolean => rule === "id-used-once";
  const news = after.filter(isTwice).length - before.filter(isTwice).length;
  return only("a second birth of a worker", news, after.length - before.length);
}

function isBirth(line: JournalLine): boolean {
  return line.what === "event" && line.event.type === "worker-created";
}

function only(what: string, planted: number, all: number): readonly string[] {
  if (planted === 1 && all === 1) return [];
  return [`${what} was planted: found ${String(planted)} of it, and ${String(all)} more than before in all`];
}

function pick<T>(list: readonly T[], random: Pick<Random, "next">): T | undefined {
  return list[Math.floor(random.next() * list.length)];
}
