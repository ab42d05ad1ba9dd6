import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "chai";
import { stderrLogger } from "../../src/cli/logger.js";
import type { LeaseholdEvent } from "../../src/model/events.js";
import { logTo } from "../../src/telemetry/log.js";
import type { JournalLine } from "../../src/testing/chaos/journal.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";

interface AskedLease {
  readonly leaseKey: string;
  readonly fencingToken: number;
  remainingMs(): number;
}

interface Probe {
  heard(text: string, at: number): boolean;
  asked(lease: AskedLease): void;
}

type Probes = new (settings: { folder: string; believesMs: number }, label: string) => Probe;

const believesMs = 3_600;
const about = { workerId: "w-1", leaseKey: "l" };
const began = { ...about, type: "tenure-began", how: "taken", from: undefined, checkpoint: "7" } as const;
const beat = { workerId: "w-1", beat: 1 };

describe("the probe of a chaos run's worker", () => {
  let folder: string;
  let probe: Probe;
  let isHeardOnly: boolean[];
  let at: number;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "leasehold-probe-"));
    const url = new URL("../../scripts/chaos/probe.mjs", import.meta.url).href;
    const { Probe: Probes } = (await import(url)) as { readonly Probe: Probes };
    probe = new Probes({ folder, believesMs }, "w");
    isHeardOnly = [];
    at = 0;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Says it as the worker of `leasehold run --json --log-level debug` does, at this time. */
  function say(time: number, event: LeaseholdEvent): void {
    at = time;
    emit(event);
  }

  const write = (line: string): void => void isHeardOnly.push(probe.heard(line, at));
  const logger = stderrLogger({ label: "w", level: "debug", json: true, write });
  const emit = logTo(logger, "chaos", new VirtualTime().clock());

  function journal(): readonly JournalLine[] {
    const [file = ""] = readdirSync(folder);
    const lines = readFileSync(path.join(folder, file), "utf8").trim().split("\n");
    return lines.map((line) => JSON.parse(line) as JournalLine).filter(({ what }) => what !== "began");
  }

  const beliefs = (): readonly JournalLine[] => journal().filter(({ what }) => what.startsWith("belief"));

  function alive(): void {
    say(90, { type: "worker-created", workerId: "w-1" });
    say(100, { type: "beat-sent", ...beat, attempt: 1 });
    say(180, { type: "beat-sent", ...beat, attempt: 2 });
    say(200, { type: "beat-acknowledged", ...beat, ageMs: 100 });
  }

  it("writes every event down as it was, those whose fields the log renames too", () => {
    const events: readonly LeaseholdEvent[] = [
      { type: "worker-created", workerId: "w-1" },
      { type: "beat-sent", workerId: "w-1", beat: 1, attempt: 1 },
      { ...began, epoch: 5, from: "other-1" },
      { type: "handed-off", ...about, epoch: 5, target: "other-2", reason: "handoff" },
      { type: "released", ...about, epoch: 7, reason: "stop" },
      { type: "checkpoint-refused", ...about, epoch: 7, checkpoint: "8", reason: "ended" },
      { type: "format-raised", workerId: "w-1", from: 1, to: 2 },
    ];
    for (const [i, event] of events.entries()) say(i, event);
    expect(journal().filter(({ what }) => what === "event")).to.deep.equal(
      events.map((event, i) => ({ what: "event", at: i, event })),
    );
  });

  it("lets nobody else hear what is logged for it alone", () => {
    say(1, { type: "beat-sent", ...beat, attempt: 1 });
    say(2, { type: "worker-created", workerId: "w-1" });
    expect(isHeardOnly).to.deep.equal([true, false]);
    expect(probe.heard("not a line of the log", 3)).to.equal(false);
  });

  it("counts a belief from the first attempt of the beat, from the tenure's begin on", () => {
    alive();
    say(210, { ...began, epoch: 5 });
    const line = { worker: "w-1", lease: "l", epoch: 5 };
    expect(beliefs()).to.deep.equal([{ what: "belief", at: 210, ...line, until: 100 + believesMs }]);
  });

  it("extends it by the next beat, and ends it when the worker says so", () => {
    alive();
    say(210, { ...began, epoch: 5 });
    say(1_000, { type: "beat-sent", workerId: "w-1", beat: 2, attempt: 1 });
    say(1_100, { type: "beat-acknowledged", workerId: "w-1", beat: 2, ageMs: 100 });
    say(1_200, { type: "tenure-ended", ...about, epoch: 5, reason: "handoff" });
    const line = { worker: "w-1", lease: "l", epoch: 5 };
    expect(beliefs().slice(1)).to.deep.equal([
      { what: "belief", at: 1_100, ...line, until: 1_000 + believesMs },
      { what: "belief-over", at: 1_200, ...line },
    ]);
  });

  it("takes an acknowledgement that comes after the end of what it vouches for as none", () => {
    alive();
    say(210, { ...began, epoch: 5 });
    say(1_000, { type: "beat-sent", workerId: "w-1", beat: 2, attempt: 1 });
    say(1_000 + believesMs, { type: "beat-acknowledged", workerId: "w-1", beat: 2, ageMs: believesMs });
    expect(beliefs()).to.have.length(1);
  });

  it("goes over to the raised epoch, and ends all when the worker leaves", () => {
    alive();
    say(210, { ...began, epoch: 5 });
    say(300, { type: "tenure-raised", ...about, epoch: 5, to: 6 });
    say(400, { type: "leave-sent", workerId: "w-1" });
    const kinds = beliefs().map((line) => [line.what, line.at, "epoch" in line ? line.epoch : 0]);
    expect(kinds).to.deep.equal([
      ["belief", 210, 5],
      ["belief-over", 300, 5],
      ["belief", 300, 6],
      ["belief-over", 400, 6],
    ]);
  });

  it("notes what the lease itself grants, for the worker that began the tenure, and nothing where it grants nothing", () => {
    alive();
    say(210, { ...began, epoch: 5 });
    probe.asked({ leaseKey: "l", fencingToken: 5, remainingMs: () => 1_000_000 });
    probe.asked({ leaseKey: "l", fencingToken: 5, remainingMs: () => 0 });
    const [, asked, ...more] = beliefs();
    expect(more).to.deep.equal([]);
    expect(asked).to.include({ what: "belief", worker: "w-1", epoch: 5 });
    expect(asked).to.satisfy(
      (line: JournalLine) => line.what === "belief" && Math.abs(line.until - line.at - 1_000_000) < 1,
    );
  });

  it("counts a deposed worker's late checkpoint as refused", () => {
    alive();
    say(300, { type: "checkpoint-refused", ...about, epoch: 5, checkpoint: "8", reason: "deposed" });
    say(310, { type: "checkpoint-refused", ...about, epoch: 5, checkpoint: "8", reason: "ended" });
    const refused = journal().filter(({ what }) => what === "refused");
    expect(refused).to.deep.equal([
      {
        what: "refused",
        at: 300,
        worker: "w-1",
        lease: "l",
        epoch: 5,
        write: "checkpoint",
        code: "deposed",
      },
    ]);
  });
});
