import { expect } from "chai";
import {
  childEnds,
  unexcusedEnds,
  type OwnEnd,
  type PauseStretch,
  type WeatherStretch,
} from "../../../src/testing/chaos/ends.js";
import type { Journal, JournalLine } from "../../../src/testing/chaos/journal.js";

const storm: WeatherStretch = { label: "solo-1", from: 150, to: 250 };

function end(of: Partial<OwnEnd> = {}): OwnEnd {
  return { label: "solo-1", pid: 7, at: 200, how: "status 1", code: "store-timeout", ...of };
}

function life(label: string, at: number, joinedAt?: number): Journal {
  const lines: JournalLine[] = [{ what: "began", at, pid: 7, label }];
  if (joinedAt !== undefined) {
    const event = { type: "worker-created", workerId: `${label}-x` } as const;
    lines.push({ what: "event", at: joinedAt, event });
  }
  return { name: `${label}.7.${String(at)}`, lines };
}

const start = life("solo-1", 100);

describe("a process of a chaos run that ended by itself", () => {
  it("is excused where it was a start whose services did not answer in bad weather", () => {
    for (const code of ["store-timeout", "store-unavailable", "store-throttled", "source-unavailable"]) {
      expect(unexcusedEnds([end({ code })], [start], [storm]), code).to.deep.equal([]);
    }
  });

  it("is not where the weather was good, was somebody else's, or came before it or after", () => {
    const others: readonly (readonly WeatherStretch[])[] = [
      [],
      [{ ...storm, label: "solo-2" }],
      [{ ...storm, label: "solo-10" }],
      [{ ...storm, from: 10, to: 99 }],
      [{ ...storm, from: 201, to: 250 }],
    ];
    for (const weather of others) expect(unexcusedEnds([end()], [start], weather)).to.have.length(1);
  });

  it("is not where it had become a worker", () => {
    expect(unexcusedEnds([end()], [life("solo-1", 100, 120)], [storm])).to.have.length(1);
  });

  it("is not where it crashed, was ended by a signal, or complains of something else", () => {
    const crashes = [
      end({ how: "SIGSEGV" }),
      end({ how: "status 134" }),
      end({ how: "status 0" }),
      end({ code: undefined }),
      end({ code: "failed" }),
      end({ code: "ended-early" }),
      end({ code: "store-denied" }),
    ];
    expect(unexcusedEnds(crashes, [start], [storm])).to.have.length(crashes.length);
  });

  it("is not where it never came so far as to ask a service", () => {
    expect(unexcusedEnds([end()], [], [storm])).to.have.length(1);
  });

  it("is told from another of its name or its pid, and from one that came after it", () => {
    const journals = [life("solo-1", 20, 30), start, life("solo-1", 300, 310), life("pair-1", 190, 195)];
    expect(unexcusedEnds([end()], journals, [storm])).to.deep.equal([]);
  });

  it("meets the weather of its supervisor", () => {
    const child = end({ label: "pair-1" });
    const weather = [{ ...storm, label: "pair" }];
    expect(unexcusedEnds([child], [life("pair-1", 100)], weather)).to.deep.equal([]);
  });

  it("is excused where it stood still before it was a worker, and nobody else did", () => {
    const pause: PauseStretch = { pid: 7, from: 110, to: 190 };
    expect(unexcusedEnds([end()], [start], [pause])).to.deep.equal([]);
    const others = [
      { ...pause, pid: 8 },
      { ...pause, from: 10, to: 99 },
      { ...pause, from: 201, to: 250 },
    ];
    for (const other of others) expect(unexcusedEnds([end()], [start], [other])).to.have.length(1);
    expect(unexcusedEnds([end()], [life("solo-1", 100, 120)], [pause])).to.have.length(1);
    expect(unexcusedEnds([end({ code: "failed" })], [start], [pause])).to.have.length(1);
  });

  it("is named with how it ended and what it said", () => {
    expect(
      unexcusedEnds([end({ code: "failed" }), end({ pid: 8, how: "SIGABRT", code: undefined })], [], []),
    ).to.deep.equal([
      "solo-1 (pid 7) ended by itself: status 1; it said failed",
      "solo-1 (pid 8) ended by itself: SIGABRT; it said nothing of it",
    ]);
  });
});

const wall = Date.parse("2026-01-01T00:00:10.000Z");

function said(msg: string, more: object = {}): string {
  return JSON.stringify({
    time: "2026-01-01T00:00:10.000Z",
    level: "info",
    label: "supervisor",
    ...more,
    msg,
  });
}

const started = (pid: number): string => said("child-started", { child: "pair-1", pid });
const exited = (pid: number, code: number | null, signal: string | null = null): string =>
  said("child-exited", { child: "pair-1", pid, exit: { code, signal }, fencing: [] });
const stopping = said("stopping", { force: false });

const of = (...lines: readonly string[]) =>
  childEnds(
    `${lines.join("\n")}\n`,
    (pid) => pid === 9,
    (wallMs) => wallMs - wall + 42,
  );

describe("the children of a supervisor of a chaos run", () => {
  it("ended by themselves where neither a stop nor the run's own SIGKILL ended them", () => {
    expect(of(started(9), exited(9, null, "SIGKILL"), started(8), stopping, exited(8, 0))).to.deep.equal({
      ends: [],
      hanging: [],
    });
    const { ends } = of(started(8), exited(8, null, "SIGKILL"), started(7), exited(7, 0));
    expect(ends).to.deep.equal([
      { label: "pair-1", pid: 8, at: 42, how: "SIGKILL", code: undefined },
      { label: "pair-1", pid: 7, at: 42, how: "status 0", code: undefined },
    ]);
  });

  it("are asked again by the next supervisor only when it stops", () => {
    const { ends } = of(started(8), stopping, exited(8, 0), started(7), exited(7, 1));
    expect(ends.map(({ pid }) => pid)).to.deep.equal([7]);
  });

  it("are quoted with their own last words, and not with those of the one before", () => {
    const words = "[pair-1] ended: read the fleet: no answer within 800 ms; ask (again) (store-timeout)";
    const { ends } = of(started(8), words, exited(8, 1), started(7), exited(7, 1));
    expect(ends.map(({ code }) => code)).to.deep.equal(["store-timeout", undefined]);
  });

  it("hang where their supervisor had to kill them", () => {
    const killed = said("child-killed", { child: "pair-1", pid: 8 });
    expect(of(started(8), stopping, killed, exited(8, null, "SIGKILL"))).to.deep.equal({
      ends: [],
      hanging: ["pair-1"],
    });
  });

  it("are not told of by lines that are somebody else's or cut short", () => {
    const lines = [
      started(8),
      exited(8, 1).slice(0, 80),
      exited(8, 1).replace("supervisor", "pair-1"),
      "{}",
      "",
    ];
    expect(of(...lines)).to.deep.equal({ ends: [], hanging: [] });
  });
});
