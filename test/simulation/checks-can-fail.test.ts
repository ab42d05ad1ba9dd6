import { expect } from "chai";
import type { PartitionReader, PartitionSource } from "../../src/source/partition-source.js";
import { bound, breakStore, broken, wrapPorts, wrapWorker } from "./fixtures/broken.js";

const lossy = {
  kind: "store-lossy",
  atMs: 10_000,
  forMs: 20_000,
  lostRequests: 0.2,
  lostAnswers: 0.2,
  duplicates: 0.2,
  delayed: 0.3,
} as const;

describe("a simulation finds", function () {
  this.timeout(60_000);

  it("nothing wrong with a sound fleet on a sound store", async () => {
    expect(await broken({})).to.equal(undefined);
    expect(await broken({}, { faults: [lossy] })).to.equal(undefined);
  });

  it("a store that takes a lease from its owner before the fence", async () => {
    // Everybody reads that the first worker is fenced, and it is not: the take finds owner and epoch as they were read.
    const options = breakStore(({ membership }) => ({
      membership: {
        ...bound(membership),
        readFleet: async (call) => {
          const rows = await membership.readFleet(call);
          const lie = { fencedBy: "nobody", fenceKind: "observer" } as const;
          return {
            ...rows,
            workers: rows.workers.map((row, i) => (i === 0 && row.beat > 5 ? { ...row, ...lie } : row)),
          };
        },
      },
    }));
    expect(await broken(options, { faults: [] })).to.equal("taken-only-when-free");
  });

  it("a store that fences whatever the beat", async () => {
    const options = breakStore(({ membership }) => ({
      membership: {
        ...bound(membership),
        readFleet: async (call) => {
          const rows = await membership.readFleet(call);
          return { ...rows, workers: rows.workers.map((row) => ({ ...row, beat: Math.min(row.beat, 2) })) };
        },
        readWorker: async (workerId, call) => {
          const row = await membership.readWorker(workerId, call);
          return row === undefined ? undefined : { ...row, beat: Math.min(row.beat, 2) };
        },
        fence: async (workerId, by) => {
          const row = await membership.readWorker(workerId, { consistent: true });
          return membership.fence(workerId, by, row?.beat ?? 0);
        },
      },
    }));
    expect(await broken(options)).to.equal("belief-ends-before-fence");
  });

  it("a store that lets a fenced worker beat", async () => {
    const options = breakStore(({ membership }, rows) => ({
      membership: {
        ...bound(membership),
        beat: async (beat) => {
          const row = rows.view().worker(beat.workerId);
          if (row === undefined) return membership.beat(beat);
          const { fencedBy: _fence, ...unfenced } = row;
          return { ok: true, row: rows.setWorker({ ...unfenced, beat: row.beat + 1 }) };
        },
      },
    }));
    const pause = { kind: "pause", worker: 0, atMs: 15_000, forMs: 20_000 } as const;
    expect(await broken(options, { faults: [pause] })).to.equal("fenced-is-silent");
  });

  it("a fleet that takes right after an operator's fence", async () => {
    // Everybody but its own worker reads that an observer fenced it, which would prove its silence.
    const options = breakStore(({ membership }) => ({
      membership: {
        ...bound(membership),
        readFleet: async (call) => {
          const rows = await membership.readFleet(call);
          return {
            ...rows,
            workers: rows.workers.map((row) =>
              row.fenceKind === "forced" ? { ...row, fenceKind: "observer" } : row,
            ),
          };
        },
      },
    }));
    const faults = [
      { kind: "forced-fence", worker: 0, atMs: 15_000 },
      { kind: "pause", worker: 0, atMs: 15_001, forMs: 10_000 },
    ] as const;
    expect(await broken({}, { faults })).to.equal(undefined);
    expect(await broken(options, { faults })).to.equal("taken-only-when-free");
    expect(await broken({ ...options, monitored: true }, { faults })).to.equal("monitor");
  });

  it("a store that writes a checkpoint whatever the row holds", async () => {
    const options = breakStore(({ checkpoints, leases }) => ({
      checkpoints: {
        write: async (write) => {
          const row = await leases.get(write.leaseKey, { consistent: true });
          if (row?.owner === undefined) return checkpoints.write(write);
          const { owner, epoch, checkpoint, pendingCheckpoint } = row;
          return checkpoints.write({ ...write, owner, epoch, expect: { checkpoint, pendingCheckpoint } });
        },
      },
    }));
    expect(await broken(options, { faults: [lossy] })).to.be.oneOf([
      "checkpoints-advance",
      "deposed-writes-nothing",
    ]);
  });

  it("a history that forgets", async () => {
    const options = breakStore(({ history }) => ({
      history: {
        list: (...args) => history.list(...args),
        record: (...args) => history.record(...args),
        actions: (...args) => history.actions(...args),
        page: (...args) => history.page(...args),
        highestEpoch: (...args) => history.highestEpoch(...args),
        setAside: (...args) => history.setAside(...args),
        archive: () => Promise.resolve(),
      },
    }));
    expect(await broken(options)).to.equal("history-is-whole");
  });

  it("a fleet that does not see that a child has parents", async () => {
    const options = breakStore(({ leases }) => ({
      leases: {
        keysOf: (...args) => leases.keysOf(...args),
        get: (...args) => leases.get(...args),
        scan: async (call) => {
          const scan = await leases.scan(call);
          return { ...scan, leases: scan.leases.map((lease) => ({ ...lease, parents: [] })) };
        },
      },
    }));
    const faults = Array.from(
      { length: 4 },
      (_, i) => ({ kind: "merge", atMs: 10_000 + i * 1_000, pick: i / 4 }) as const,
    );
    const slowWork = { workMs: [1_000, 10_000] } as const;
    expect(await broken(options, { faults, ...slowWork })).to.equal("parents-first");
  });

  it("a store that refuses every take after the crash", async () => {
    let takes = 0;
    const options = breakStore(({ ownership }) => ({
      ownership: {
        create: (...args) => ownership.create(...args),
        remove: (...args) => ownership.remove(...args),
        change: (change, call) =>
          change.tenure.reason === "taken-from-fenced" && ++takes > 0
            ? Promise.resolve({ ok: false, current: undefined })
            : ownership.change(change, call),
      },
    }));
    expect(await broken(options)).to.equal("owned-after-healing");
    expect(takes).to.be.greaterThan(0);
  });

  it("a store that gives nobody the children of a shard that ends long after healing", async () => {
    const refused = new Set<string>();
    const options = breakStore(({ ownership }, rows) => ({
      ownership: {
        create: (...args) => ownership.create(...args),
        remove: (...args) => ownership.remove(...args),
        change: (change, call) => {
          const isChild = (rows.view().lease(change.leaseKey)?.parents.length ?? 0) > 0;
          if (!isChild) return ownership.change(change, call);
          refused.add(change.leaseKey);
          return Promise.resolve({ ok: false, current: undefined });
        },
      },
    }));
    const faults = [{ kind: "split", atMs: 15_000, pick: 0.5 }] as const;
    expect(await broken({}, { faults })).to.equal(undefined);
    expect(await broken(options, { faults })).to.equal("owned-after-healing");
    expect(refused.size).to.equal(2);
  });

  it("a run that is over before its faults are", async () => {
    const pause = { kind: "pause", worker: 0, atMs: 15_000, forMs: 300_000 } as const;
    expect(await broken({}, { faults: [pause] })).to.equal("owned-after-healing");
  });

  it("a store that never fences", async () => {
    const options = breakStore(({ membership }) => ({
      membership: { ...bound(membership), fence: () => Promise.resolve({ ok: false, current: undefined }) },
    }));
    expect(await broken(options)).to.be.oneOf(["deaths-are-fenced", "owned-after-healing"]);
  });

  it("a clock that runs slower than the bound", async () => {
    const slow = { rate: 0.5, wallOffsetMs: 0, startMs: 0 };
    const normal = { rate: 1, wallOffsetMs: 0, startMs: 0 };
    const pause = { kind: "pause", worker: 0, atMs: 15_000, forMs: 10_000 } as const;
    expect(await broken({}, { machines: [slow, normal, normal], faults: [pause] })).to.equal(
      "belief-ends-before-fence",
    );
  });

  it("a worker whose clock tells it half of the time that passes", async () => {
    const factory = wrapPorts(({ clock }) => {
      const start = clock.now();
      return {
        clock: {
          setTimer: (ms, fn) => clock.setTimer(ms, fn),
          now: () => {
            const now = clock.now();
            return {
              monoMs: (now.monoMs + start.monoMs) / 2,
              bootMs: (now.bootMs + start.bootMs) / 2,
              wallMs: (now.wallMs + start.wallMs) / 2,
            };
          },
          monoMs: () => (clock.monoMs() + start.monoMs) / 2,
          wallMs: () => (clock.wallMs() + start.wallMs) / 2,
        },
      };
    });
    const outage = { kind: "store-outage", atMs: 15_000, forMs: 20_000, of: "all", how: "silent" } as const;
    expect(await broken({ factory }, { faults: [outage] })).to.be.oneOf([
      "belief-rests-on-beats",
      "work-within-belief",
    ]);
  });

  it("a source that skips a record", async () => {
    const skip = (reader: PartitionReader): PartitionReader => ({
      next: async (signal) => {
        const fetched = await reader.next(signal);
        return fetched.kind === "records" ? { ...fetched, records: fetched.records.slice(1) } : fetched;
      },
      close: () => reader.close(),
    });
    const factory = wrapPorts(({ source }) => ({
      source: {
        ...source,
        open: (...args: Parameters<PartitionSource["open"]>) => skip(source.open(...args)),
      },
    }));
    expect(await broken({ factory })).to.equal("nothing-lost");
  });

  it("a processor that is told twice of one loss, or of none", async () => {
    const factory = wrapPorts(({ processor }) => ({
      processor: {
        ...processor,
        process: (...args) => processor.process(...args),
        leaseLost: (...args) => {
          void processor.leaseLost?.(...args);
          void processor.leaseLost?.(...args);
        },
      },
    }));
    const outage = { kind: "store-outage", atMs: 15_000, forMs: 10_000, of: "all", how: "silent" } as const;
    expect(await broken({ factory }, { faults: [outage] })).to.equal("once-told");
    const early = wrapPorts(({ processor }) => ({
      processor: {
        process: (batch, lease) => {
          void processor.leaseLost?.("lease-lost", lease);
          return processor.process(batch, lease);
        },
      },
    }));
    expect(await broken({ factory: early })).to.equal("once-told");
  });

  it("a worker that does not stop", async () => {
    const factory = wrapWorker(() => ({ stop: () => new Promise(() => {}) }));
    expect(await broken({ factory })).to.equal("stops-clean");
  });

  it("a worker that leaves a timer behind", async () => {
    const factory = wrapWorker((worker, { clock }) => ({
      stop: async () => {
        await worker.stop();
        clock.setTimer(3_600_000, () => {});
      },
    }));
    expect(await broken({ factory })).to.equal("no-leaks");
  });
});
