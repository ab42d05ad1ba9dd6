import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { markOf, mostObserved } from "../../../src/model/observers.js";
import type { WorkerIdentity, WorkerStatus } from "../../../src/model/worker-row.js";
import {
  fleetIn,
  historyIn,
  historyItem,
  historyKey,
  identityAttributes,
  metaIn,
  plannerIn,
  statusAttributes,
  workerIn,
  workerKey,
} from "../../../src/store/dynamodb/fleet-codec.js";
import { emptyWorkerRow } from "../../../src/store/empty-worker-row.js";

/** The size of a row by DynamoDB's rules, rounded up wherever they leave room. */
function bytesOf(item: Readonly<Record<string, AttributeValue>>): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + name.length + valueBytes(value), 0);
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 2;
  if (value.BOOL !== undefined) return 1;
  if (value.SS !== undefined)
    return 3 + value.SS.reduce((sum, entry) => sum + 1 + Buffer.byteLength(entry), 0);
  if (value.L !== undefined) return 3 + value.L.reduce((sum, entry) => sum + 1 + valueBytes(entry), 0);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + bytesOf(value.M);
  throw new Error(`no size for ${JSON.stringify(value)}`);
}

const id = (label: string): string => `${label.repeat(60)}-0123456789abcdef01234567`;

describe("rows of the fleet table", () => {
  it("a worker row with an empty mailbox and the longest ids stays below 1,000 bytes", () => {
    const identity: WorkerIdentity = {
      workerId: id("w"),
      deployment: "v".repeat(60),
      join: Number.MAX_SAFE_INTEGER,
      maxLeases: 1_000_000,
      maxConcurrentBatches: 1_000_000,
      readsFormat: 1_000,
      host: "h".repeat(253),
      pid: 4_194_304,
      startedAt: "2026-11-23T12:00:00.000Z",
    };
    const status: WorkerStatus = {
      draining: false,
      joining: false,
      blind: false,
      leases: 100_000,
      weight: 123_456.789_012_345,
      utilisation: 0.123_456_789_012_345,
      unfit: [],
      failing: [1, 2, 3].map((shard) => `shardId-00000000000${String(shard)}`),
      planner: { epoch: Number.MAX_SAFE_INTEGER, tick: Number.MAX_SAFE_INTEGER },
    };
    const item: Record<string, AttributeValue> = {
      ...workerKey(identity.workerId),
      beat: { N: String(Number.MAX_SAFE_INTEGER) },
      mailbox: { M: {} },
      fencedBy: { S: id("o") },
      fenceKind: { S: "observer" },
      observes: { SS: Array.from({ length: mostObserved }, (_, i) => markOf(`worker-${String(i)}`)) },
      observesEpoch: { N: String(Number.MAX_SAFE_INTEGER) },
    };
    for (const [name, value] of Object.entries({
      ...identityAttributes(identity),
      ...statusAttributes(status),
    })) {
      if (value !== undefined) item[name] = value;
    }
    expect(bytesOf(item)).to.be.at.most(1_000);
    const { workerId } = identity;
    expect(workerIn(item)).to.deep.include({ ...identity, ...status, fencedBy: id("o"), workerId });
  });

  it("a worker row that lacks everything reads as one that no worker wrote", () => {
    expect(workerIn(workerKey("w1"))).to.deep.equal(emptyWorkerRow("w1", -1));
  });

  it("mail that this version does not understand is left out", () => {
    const base = { leaseKey: { S: "s1" }, epoch: { N: "6" } };
    const mailbox = {
      note: { M: { kind: { S: "note" }, ...base, from: { S: "w2" } } },
      newer: { M: { kind: { S: "song" }, ...base } },
      noTarget: { M: { kind: { S: "directive" }, ...base } },
      noFrom: { M: { kind: { S: "note" }, ...base } },
      noLease: { M: { kind: { S: "note" } } },
      noEpoch: { M: { kind: { S: "note" }, leaseKey: { S: "s1" }, epoch: { N: "many" } } },
      noMap: { S: "?" },
    };
    const row = workerIn({ ...workerKey("w1"), mailbox: { M: mailbox } });
    expect([...(row?.mailbox.keys() ?? [])]).to.deep.equal(["note"]);
  });

  it("attributes of another type, and names that nobody knows, read as absent", () => {
    const row = workerIn({
      ...workerKey("w1"),
      beat: { S: "three" },
      fenceKind: { S: "thunder" },
      planner: { M: {} },
      unfit: { L: [{ N: "1" }, { S: "s1" }] },
    });
    expect(row).to.deep.equal({ ...emptyWorkerRow("w1", -1), planner: { epoch: 0, tick: 0 }, unfit: ["s1"] });
  });

  it("rows of the fleet that this version does not know are left out", () => {
    expect(fleetIn([{ pk: { S: "fleet" }, sk: { S: "of-tomorrow" } }, {}])).to.deep.equal({
      workers: [],
      planner: undefined,
      meta: undefined,
    });
    expect(plannerIn({})).to.deep.equal({ epoch: 0, deaths: 0 });
    expect(metaIn({})).to.deep.equal({ liveness: "", format: 0, joins: 0 });
  });

  it("a history's keys sort as its epochs do, and its rows expire", () => {
    const keys = [9, 10, 100, Number.MAX_SAFE_INTEGER].map((epoch) => historyKey("s1", epoch)["sk"]?.S ?? "");
    expect(keys.toSorted()).to.deep.equal(keys);
    expect(keys.every((key) => key.length === 16)).to.be.true;
    const entry = {
      leaseKey: "s1",
      epoch: 5,
      reason: "taken",
      since: "a",
      until: "b",
      endedBy: "released",
    } as const;
    expect(historyItem(entry, 99)["expiresAt"]).to.deep.equal({ N: "99" });
  });

  it("entries of other kinds are no finished tenures", () => {
    const row = {
      leaseKey: { S: "s1" },
      epoch: { N: "5" },
      reason: { S: "taken" },
      endedBy: { S: "released" },
    };
    expect(historyIn(row)).to.include({ since: "", until: "" });
    for (const name of ["leaseKey", "epoch", "reason", "endedBy"]) {
      expect(historyIn({ ...row, [name]: { S: "" } }), name).to.satisfy(
        (entry: unknown) => entry === undefined || name === "leaseKey",
      );
    }
    expect(historyIn({})).to.be.undefined;
  });
});
