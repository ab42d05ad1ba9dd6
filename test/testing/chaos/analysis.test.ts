import { expect } from "chai";
import { analyse } from "../../../src/testing/chaos/analysis.js";
import type { Journal } from "../../../src/testing/chaos/journal.js";
import { stretchesOf } from "../../../src/testing/chaos/stretches.js";
import { Pen } from "./journals.js";

const overlapsOf = (...journals: readonly Journal[]) => analyse({ journals, put: [] }).overlaps;

describe("a chaos run's stretches of belief", () => {
  it("last to the last deadline that the worker named", () => {
    const [stretch] = stretchesOf(
      new Pen("a").belief("l", 1, 100, 200).belief("l", 1, 150, 250).belief("l", 1, 160, 240).journal(),
    );
    expect(stretch).to.include({ from: 100, until: 250, to: 250 });
  });

  it("end earlier when the worker says so", () => {
    const [stretch] = stretchesOf(new Pen("a").belief("l", 1, 100, 200).over("l", 1, 130).journal());
    expect(stretch).to.include({ from: 100, until: 130, to: 130 });
  });

  it("end at their deadline although the worker says so later, as one does that was stopped meanwhile", () => {
    const [stretch] = stretchesOf(new Pen("a").belief("l", 1, 100, 200).over("l", 1, 900).journal());
    expect(stretch).to.include({ until: 200, to: 200 });
  });

  it("go on where an end was told too early: what is said last counts", () => {
    const [stretch] = stretchesOf(
      new Pen("a").belief("l", 1, 100, 200).over("l", 1, 130).belief("l", 1, 140, 190).journal(),
    );
    expect(stretch).to.include({ until: 200, to: 200 });
  });

  it("end with the process, and not before what it said after the kill was sent", () => {
    const pen = (): Pen => new Pen("a").belief("l", 1, 100, 200);
    expect(stretchesOf(pen().journal(150))[0]).to.include({ until: 200, to: 150 });
    expect(stretchesOf(pen().belief("m", 1, 160, 260).journal(150))[0]).to.include({ until: 200, to: 160 });
  });

  it("are told apart by lease, epoch and incarnation", () => {
    const own = new Pen("a").belief("l", 1, 1, 2).belief("l", 2, 3, 4).belief("m", 1, 5, 6).journal();
    const other = new Pen("a", "a-2").belief("l", 2, 7, 8).journal();
    const all = stretchesOf({ name: "a", lines: [...own.lines, ...other.lines] });
    expect(all.map(({ worker, lease, epoch }) => `${worker} ${lease} ${String(epoch)}`)).to.deep.equal([
      "a-1 l 1",
      "a-1 l 2",
      "a-1 m 1",
      "a-2 l 2",
    ]);
  });
});

describe("the analysis of a chaos run", () => {
  it("finds two processes that believe in one lease at the same time, and for how long", () => {
    const [overlap, ...more] = overlapsOf(
      new Pen("a").belief("l", 1, 100, 200).journal(),
      new Pen("b").belief("l", 2, 190, 300).journal(),
    );
    expect(more).to.deep.equal([]);
    expect(overlap).to.include({ kind: "two-believers", lease: "l", forMs: 10 });
  });

  it("finds one within the other, whichever was written first", () => {
    const long = new Pen("a").belief("l", 1, 100, 500).journal();
    const short = new Pen("b").belief("l", 2, 200, 300).journal();
    expect(overlapsOf(long, short)).to.have.length(1);
    expect(overlapsOf(short, long)).to.have.length(1);
  });

  it("finds an overlap with a long stretch that others have followed", () => {
    const found = overlapsOf(
      new Pen("a").belief("l", 1, 100, 500).journal(),
      new Pen("b").belief("l", 2, 200, 210).journal(),
      new Pen("c").belief("l", 3, 400, 600).journal(),
    );
    expect(found).to.have.length(2);
  });

  it("takes stretches that touch for none that overlap", () => {
    const touching = overlapsOf(
      new Pen("a").belief("l", 1, 100, 200).journal(),
      new Pen("b").belief("l", 2, 200, 300).journal(),
    );
    expect(touching).to.deep.equal([]);
  });

  it("has nothing against beliefs in different leases, or against one worker's tenures of one lease", () => {
    const found = overlapsOf(
      new Pen("a").belief("l", 1, 100, 200).belief("l", 2, 150, 250).journal(),
      new Pen("b").belief("m", 1, 100, 200).journal(),
    );
    expect(found).to.deep.equal([]);
  });

  it("finds two incarnations of one process that believe at the same time", () => {
    const first = new Pen("a", "a-1").belief("l", 1, 100, 200).journal();
    const second = new Pen("a", "a-2").belief("l", 2, 150, 250).journal();
    expect(overlapsOf({ name: "a", lines: [...first.lines, ...second.lines] })).to.have.length(1);
  });

  it("lets a killed process's leases be taken before its belief would have ended", () => {
    const dead = new Pen("a").belief("l", 1, 100, 200).journal(120);
    expect(overlapsOf(dead, new Pen("b").belief("l", 2, 130, 300).journal())).to.deep.equal([]);
    expect(overlapsOf(dead, new Pen("b").belief("l", 2, 110, 300).journal())).to.have.length(1);
  });

  it("finds a record that was worked after the end of the belief, and how late", () => {
    const [late, ...more] = overlapsOf(
      new Pen("a").belief("l", 1, 100, 200).record("l", 1, "r1", { from: 230, at: 231 }).journal(),
    );
    expect(more).to.deep.equal([]);
    expect(late).to.deep.equal({
      kind: "outside-belief",
      lease: "l",
      process: "a",
      record: "4r1",
      epoch: 1,
      lateMs: 30,
    });
  });

  it("finds a record that was worked after the worker said that its tenure is over", () => {
    const journal = new Pen("a").belief("l", 1, 100, 200).over("l", 1, 150);
    expect(overlapsOf(journal.record("l", 1, "r1", { from: 160, at: 161 }).journal())).to.have.length(1);
  });

  it("finds a record that was worked under an epoch that the worker never believed in", () => {
    const journal = new Pen("a").belief("l", 1, 100, 200).record("l", 2, "r1", { from: 110, at: 111 });
    const [late] = overlapsOf(journal.journal());
    expect(late).to.include({ kind: "outside-belief", epoch: 2, lateMs: undefined });
  });

  it("accuses nobody who was stopped between the question and its being written down", () => {
    const journal = new Pen("a").belief("l", 1, 100, 200).record("l", 1, "r1", { from: 199, at: 900 });
    expect(overlapsOf(journal.journal())).to.deep.equal([]);
  });

  it("counts a checkpoint that was accepted after the sink had seen a later owner", () => {
    expect(overlapsOf(new Pen("a").lateCheckpoint("l", 1, 100).journal())).to.deep.equal([
      { kind: "late-checkpoint", lease: "l", process: "a", epoch: 1 },
    ]);
  });

  it("knows what was put and worked by nobody, what was worked again, and what was refused", () => {
    const times = { from: 110, at: 111 };
    const a = new Pen("a").belief("l", 1, 100, 200).record("l", 1, "r1", times).record("l", 1, "r2", times);
    const b = new Pen("b").belief("l", 2, 300, 400);
    for (const id of ["r2", "r2", "r9"]) b.record("l", 2, id, { from: 310, at: 311 });
    b.refused("l", 2, 320).refused("l", 2, 330);
    const found = analyse({ journals: [a.journal(), b.journal()], put: ["r1", "r2", "r3"] });
    expect(found).to.deep.include({ records: 3, lost: ["r3"], duplicates: 2, refusedWrites: 2 });
    expect(found.overlaps).to.deep.equal([]);
  });

  it("measures how long a lease had nobody, from the end of one tenure to the begin of the next", () => {
    const found = analyse({
      put: [],
      journals: [
        new Pen("a").belief("l", 1, 100, 200).belief("m", 1, 100, 200).journal(),
        new Pen("b").belief("l", 2, 230, 300).over("l", 2, 280).belief("m", 2, 200, 300).journal(),
        new Pen("c").belief("l", 3, 290, 400).journal(),
      ],
    });
    expect(found.orphans).to.equal(2);
    expect(found.orphanMs).to.deep.equal({ mean: 20, p99: 30, max: 30 });
  });

  it("says zero where no lease ever had nobody", () => {
    const { orphanMs } = analyse({ put: [], journals: [new Pen("a").belief("l", 1, 1, 2).journal()] });
    expect(orphanMs).to.deep.equal({ mean: 0, p99: 0, max: 0 });
  });

  it("leaves the slowest hundredth out of p99", () => {
    const pen = new Pen("a");
    let at = 0;
    for (let epoch = 1; epoch <= 201; epoch++) {
      pen.belief("l", epoch, at, at + 10);
      at += 10 + (epoch > 198 ? 1_000 : 5);
    }
    const { orphanMs } = analyse({ put: [], journals: [pen.journal()] });
    expect(orphanMs).to.include({ p99: 5, max: 1_000 });
  });
});
