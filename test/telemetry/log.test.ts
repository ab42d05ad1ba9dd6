import { expect } from "chai";
import type { LeaseholdEvent } from "../../src/model/events.js";
import { logTo, type Logger } from "../../src/telemetry/log.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import { Bench } from "../tenure/bench.js";

interface Line {
  readonly level: keyof Logger;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function recorder(): { readonly lines: Line[]; readonly emit: (event: LeaseholdEvent) => void } {
  const lines: Line[] = [];
  const at =
    (level: keyof Logger) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      lines.push({ level, fields, message });
    };
  const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { lines, emit: logTo(logger, "orders", new VirtualTime().clock()) };
}

const one = (event: LeaseholdEvent): Line => {
  const { lines, emit } = recorder();
  emit(event);
  expect(lines).to.have.length(1);
  return lines[0]!;
};

const names = ["lease", "epoch", "from", "to", "reason"] as const;
const told = ({ fields }: Line): unknown[] => names.map((name) => fields[name]);

describe("the log", () => {
  it("has a change of owner to this worker as one info line: lease, epoch, from, to, reason", () => {
    const line = one({
      type: "tenure-began",
      workerId: "me",
      leaseKey: "s1",
      epoch: 6,
      how: "taken-from-fenced",
      from: "dead",
      checkpoint: "100",
    });
    expect(line.level).to.equal("info");
    expect(line.message).to.equal("lease changed owner");
    expect(told(line)).to.deep.equal(["s1", 6, "dead", "me", "taken-from-fenced"]);
    expect(line.fields).to.include({ application: "orders", checkpoint: "100" });
  });

  it("has a release as one info line, to nobody, at the epoch that it made", () => {
    const line = one({ type: "released", workerId: "me", leaseKey: "s1", epoch: 6, reason: "stuck" });
    expect([line.level, ...told(line)]).to.deep.equal(["info", "s1", 7, "me", null, "stuck"]);
  });

  it("has a first owner come from nobody", () => {
    const line = one({
      type: "tenure-began",
      workerId: "me",
      leaseKey: "s1",
      epoch: 2,
      how: "taken",
      from: undefined,
      checkpoint: "TRIM_HORIZON",
    });
    expect(told(line)).to.deep.equal(["s1", 2, null, "me", "taken"]);
  });

  it("leaves the info line of a handoff to the receiver: the giver's names the same change, at debug", () => {
    const line = one({
      type: "handed-off",
      workerId: "me",
      leaseKey: "s1",
      epoch: 6,
      target: "other",
      reason: "handoff",
    });
    expect([line.level, ...told(line)]).to.deep.equal(["debug", "s1", 7, "me", "other", "handoff"]);
  });

  for (const type of ["beat-sent", "beat-acknowledged", "batch-started", "batch-finished"] as const) {
    it(`keeps ${type}, which happens all the time, at debug`, () => {
      expect(one({ type, workerId: "me" } as LeaseholdEvent).level).to.equal("debug");
    });
  }

  for (const type of ["beat-withheld", "processor-failed", "processor-stuck", "lease-invalid"] as const) {
    it(`calls ${type} an error`, () => {
      expect(one({ type, workerId: "me" } as LeaseholdEvent).level).to.equal("error");
    });
  }

  for (const type of [
    "belief-lapsed",
    "fenced",
    "tenure-raised",
    "checkpoint-refused",
    "source-failed",
  ] as const) {
    it(`warns of ${type}`, () => {
      expect(one({ type, workerId: "me" } as LeaseholdEvent).level).to.equal("warn");
    });
  }

  it("passes the fields of every other event on, with the application", () => {
    const line = one({ type: "fenced", workerId: "me", victim: "dead", beat: 7 });
    expect(line.fields).to.deep.equal({
      application: "orders",
      type: "fenced",
      workerId: "me",
      victim: "dead",
      beat: 7,
    });
  });

  it("tells every epoch that this worker made of a lease, once, over all its ways to change hands", async () => {
    const bench = new Bench({ s1: "dead@5" });
    const { lines, emit } = recorder();
    await bench.run(bench.lane().take(bench.row(), "observer"));
    bench.held().end("lease-lost");
    await bench.run(bench.lane().reconcile());
    await bench.run(bench.lane().restart());
    await bench.run(bench.held().release("stuck"));
    await bench.run(bench.lane().take(bench.row(), undefined));
    bench.held().end("lease-lost");
    bench.unfit = ["s1"];
    await bench.run(bench.lane().reconcile());
    for (const event of bench.events) emit(event);
    const changes = lines.filter(({ level, fields }) => level === "info" && "to" in fields);
    expect(changes.map(told)).to.deep.equal([
      ["s1", 6, "dead", "me", "taken-from-fenced"],
      ["s1", 7, "me", "me", "resumed"],
      ["s1", 8, "me", "me", "resumed"],
      ["s1", 9, "me", null, "stuck"],
      ["s1", 10, null, "me", "taken"],
      ["s1", 11, "me", null, "stuck"],
    ]);
    expect(bench.row().epoch).to.equal(11);
    bench.close();
  });
});
