import type { TableDescription } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { hasCode, messageOf } from "../../../src/model/errors.js";
import type { Capability, DynamoDbStoreOptions } from "../../../src/store/dynamodb/index.js";
import {
  fleetTableShape,
  leaseTableShape,
  ownerIndex,
  ownerIndexShape,
} from "../../../src/store/dynamodb/table-shapes.js";
import { hurried, serviceError, stubbed } from "./stub.js";

const index = { ...ownerIndexShape, IndexStatus: "ACTIVE" } as const;
const leaseTable: TableDescription = {
  TableStatus: "ACTIVE",
  KeySchema: [...leaseTableShape.keys],
  AttributeDefinitions: leaseTableShape.create.AttributeDefinitions,
  GlobalSecondaryIndexes: [index],
};
const { GlobalSecondaryIndexes: _index, ...kcl2Table } = leaseTable;
const fleetTable: TableDescription = {
  TableStatus: "ACTIVE",
  KeySchema: [...fleetTableShape.keys],
  AttributeDefinitions: fleetTableShape.create.AttributeDefinitions,
};
const missing = serviceError("ResourceNotFoundException");
const ttlOn = { TimeToLiveDescription: { TimeToLiveStatus: "ENABLED", AttributeName: "expiresAt" } };

type Looks = readonly (TableDescription | Error)[];

/** A store whose tables show themselves look by look; the last look stays. */
function store(
  lease: Looks,
  fleet: Looks,
  answers: Parameters<typeof stubbed>[0] = { DescribeTimeToLive: () => ttlOn },
  options: Partial<DynamoDbStoreOptions> = {},
) {
  const capabilities: Capability[] = [];
  const counts = { orders: 0, "orders-fleet": 0 };
  const made = stubbed(
    {
      DescribeTable: ({ TableName }) => {
        const name = TableName as keyof typeof counts;
        const looks = name === "orders" ? lease : fleet;
        const look = looks[Math.min(counts[name]++, looks.length - 1)];
        return look instanceof Error ? look : { Table: look };
      },
      ...answers,
    },
    { clock: hurried, onCapability: (capability) => capabilities.push(capability), ...options },
  );
  const commands = () =>
    made.sent.map(({ command }) => command).filter((name) => !name.startsWith("Describe"));
  return { tables: made.store.tables, sent: made.sent, commands, capabilities };
}

async function failure(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it did not fail");
}

describe("preparing the tables", () => {
  it("leaves tables of the right shape alone", async () => {
    const { tables, commands, capabilities } = store([leaseTable], [fleetTable]);
    await tables.prepare();
    expect(commands()).to.deep.equal([]);
    expect(capabilities).to.deep.equal([{ name: "ttl", present: true }]);
  });

  it("makes missing tables on demand, with the owner index, and waits for both", async () => {
    const making: TableDescription = { ...leaseTable, TableStatus: "CREATING" };
    const indexing: TableDescription = {
      ...leaseTable,
      GlobalSecondaryIndexes: [{ ...index, IndexStatus: "CREATING" }],
    };
    const { tables, sent, commands } = store(
      [missing, missing, making, making, indexing, leaseTable],
      [missing, missing, { ...fleetTable, TableStatus: "CREATING" }, fleetTable],
      {},
    );
    await tables.prepare();
    expect(commands()).to.have.members(["CreateTable", "CreateTable", "UpdateTimeToLive"]);
    const created = sent.filter(({ command }) => command === "CreateTable").map(({ input }) => input);
    const leases = created.find(({ TableName }) => TableName === "orders");
    expect(leases?.["BillingMode"]).to.equal("PAY_PER_REQUEST");
    expect(leases?.["GlobalSecondaryIndexes"]).to.deep.equal([ownerIndexShape]);
    expect(sent.filter(({ input }) => input["TableName"] === "orders")).to.have.length(7);
  });

  it("waits for a table that another worker makes at the same moment", async () => {
    const { tables } = store([missing, missing, leaseTable], [fleetTable], {
      CreateTable: () => serviceError("ResourceInUseException"),
      DescribeTimeToLive: () => ttlOn,
    });
    await tables.prepare();
  });

  it("waits until a table in deletion is gone, and makes it anew", async () => {
    const going: TableDescription = { ...leaseTable, TableStatus: "DELETING" };
    const { tables, commands } = store([going, going, missing, leaseTable], [fleetTable]);
    await tables.prepare();
    expect(commands()).to.deep.equal(["CreateTable"]);
  });

  it("throws what the store throws, with nothing made", async () => {
    const { tables, commands } = store([serviceError("AccessDeniedException")], [missing]);
    expect(hasCode(await failure(tables.prepare()), "store-denied")).to.be.true;
    expect(commands()).to.deep.equal([]);
  });

  it("throws when a table cannot be made", async () => {
    const denied = { CreateTable: () => serviceError("AccessDeniedException") };
    const { tables } = store([missing], [fleetTable], { ...denied, DescribeTimeToLive: () => ttlOn });
    expect(hasCode(await failure(tables.prepare()), "store-denied")).to.be.true;
  });

  it("ends when it is called off while it waits", async () => {
    const controller = new AbortController();
    let looks = 0;
    const { tables } = store([{ ...leaseTable, TableStatus: "CREATING" }], [fleetTable], undefined, {
      clock: {
        ...hurried,
        setTimer: (_ms, fn) => {
          if (++looks === 3) controller.abort();
          queueMicrotask(fn);
          return () => {};
        },
      },
    });
    expect(hasCode(await failure(tables.prepare({ signal: controller.signal })), "store-timeout")).to.be.true;
  });

  it("refuses a lease table with another key before it makes the other, naming both keys and a remedy", async () => {
    const other: TableDescription = {
      ...kcl2Table,
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "N" }],
    };
    const { tables, commands } = store([other], [missing]);
    const error = await failure(tables.prepare());
    expect(hasCode(error, "table-mismatch")).to.be.true;
    expect(messageOf(error)).to.equal(
      "table orders cannot be used: its key is id (N, HASH), and must be leaseKey (S, HASH); choose another application name, or delete the table if nobody uses it",
    );
    expect(commands()).to.deep.equal([]);
  });

  it("refuses a fleet table without a sort key before it makes the other", async () => {
    const other: TableDescription = { ...fleetTable, KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }] };
    const { tables, commands } = store([missing], [other]);
    expect(messageOf(await failure(tables.prepare()))).to.match(
      /orders-fleet.*pk \(S, HASH\), and must be pk .*sk/,
    );
    expect(commands()).to.deep.equal([]);
  });

  it("refuses an owner index with other keys", async () => {
    const other: TableDescription = {
      ...leaseTable,
      GlobalSecondaryIndexes: [{ ...index, KeySchema: [{ AttributeName: "leaseKey", KeyType: "HASH" }] }],
    };
    const { tables } = store([other], [fleetTable]);
    const error = await failure(tables.prepare());
    expect(hasCode(error, "table-mismatch")).to.be.true;
    expect(messageOf(error)).to.include(ownerIndex).and.to.include("delete the index");
  });

  it("adds the owner index to a table of the KCL 2", async () => {
    const { tables, sent, commands } = store([kcl2Table, kcl2Table, leaseTable], [fleetTable]);
    await tables.prepare();
    expect(commands()).to.deep.equal(["UpdateTable"]);
    const update = sent.find(({ command }) => command === "UpdateTable");
    expect(update?.input["GlobalSecondaryIndexUpdates"]).to.deep.equal([{ Create: ownerIndexShape }]);
  });

  it("gives the index of a table with provisioned capacity as much as the table has", async () => {
    const capacity = { ReadCapacityUnits: 10, WriteCapacityUnits: 20 };
    const provisioned: TableDescription = { ...kcl2Table, ProvisionedThroughput: capacity };
    const { tables, sent } = store([provisioned, provisioned, leaseTable], [fleetTable]);
    await tables.prepare();
    const update = sent.find(({ command }) => command === "UpdateTable");
    expect(update?.input["GlobalSecondaryIndexUpdates"]).to.deep.equal([
      { Create: { ...ownerIndexShape, ProvisionedThroughput: capacity } },
    ]);
  });

  it("waits for an index that another worker adds at the same moment", async () => {
    for (const name of ["ResourceInUseException", "ValidationException"]) {
      const { tables } = store([kcl2Table, kcl2Table, leaseTable], [fleetTable], {
        UpdateTable: () => serviceError(name),
        DescribeTimeToLive: () => ttlOn,
      });
      await tables.prepare();
    }
  });

  it("says what to do where the store cannot add the index", async () => {
    const { tables } = store([kcl2Table], [fleetTable], {
      UpdateTable: () => serviceError("ValidationException"),
      DescribeTimeToLive: () => ttlOn,
    });
    const error = await failure(tables.prepare());
    expect(hasCode(error, "table-mismatch")).to.be.true;
    expect(messageOf(error)).to.include(ownerIndex).and.to.include("add the index by hand");
  });

  it("throws when adding the index is not permitted", async () => {
    const { tables } = store([kcl2Table], [fleetTable], {
      UpdateTable: () => serviceError("AccessDeniedException"),
      DescribeTimeToLive: () => ttlOn,
    });
    expect(hasCode(await failure(tables.prepare()), "store-denied")).to.be.true;
  });

  for (const name of ["UnknownOperationException", "AccessDeniedException"]) {
    it(`tells of a store without time to live, and goes on (${name})`, async () => {
      const { tables, capabilities } = store([leaseTable], [fleetTable], {
        DescribeTimeToLive: () => serviceError(name),
        UpdateTimeToLive: () => serviceError(name),
      });
      await tables.prepare();
      expect(capabilities).to.have.length(1);
      expect(capabilities[0]).to.include({ name: "ttl", present: false });
      expect(capabilities[0]?.reason).to.include(name);
    });
  }

  it("accepts the time to live that another worker has just set", async () => {
    const { tables, capabilities } = store([leaseTable], [fleetTable], {
      DescribeTimeToLive: (_input, nth) => (nth === 1 ? {} : ttlOn),
      UpdateTimeToLive: () => serviceError("ValidationException"),
    });
    await tables.prepare();
    expect(capabilities).to.deep.equal([{ name: "ttl", present: true }]);
  });

  it("sets the time to live though it may not look at it, once and again", async () => {
    const enabled = serviceError("ValidationException", 400, "TimeToLive is already enabled");
    const { tables, capabilities, commands } = store([leaseTable], [fleetTable], {
      DescribeTimeToLive: () => serviceError("AccessDeniedException"),
      UpdateTimeToLive: (_input, nth) => (nth === 1 ? {} : enabled),
    });
    await tables.prepare();
    await tables.prepare();
    expect(commands()).to.deep.equal(["UpdateTimeToLive", "UpdateTimeToLive"]);
    expect(capabilities).to.deep.equal(Array(2).fill({ name: "ttl", present: true }));
  });

  it("gets through at once where each second call is throttled, and gives up where each is", async () => {
    const throttled = serviceError("ThrottlingException");
    const looks = [throttled, leaseTable, throttled, leaseTable];
    const { tables } = store(looks, [throttled, fleetTable, throttled, fleetTable], {
      DescribeTimeToLive: (_input, nth) => (nth === 1 ? throttled : ttlOn),
    });
    await tables.prepare();
    const never = store([throttled], [throttled]);
    expect(hasCode(await failure(never.tables.prepare()), "store-throttled")).to.be.true;
    expect(never.sent.filter(({ input }) => input["TableName"] === "orders")).to.have.length(8);
  });

  it("throws when the store fails at the time to live", async () => {
    const { tables } = store([leaseTable], [fleetTable], {
      DescribeTimeToLive: () => serviceError("InternalServerError", 500),
    });
    expect(hasCode(await failure(tables.prepare()), "store-unavailable")).to.be.true;
  });

  it("needs nobody to be told of capabilities", async () => {
    const { tables } = store([leaseTable], [fleetTable], undefined, { onCapability: undefined });
    await tables.prepare();
  });
});

describe("verifying the tables", () => {
  it("accepts tables of the right shape and writes nothing", async () => {
    const { tables, commands } = store([leaseTable], [fleetTable]);
    await tables.verify();
    expect(commands()).to.deep.equal([]);
  });

  it("names the tables that are missing and makes none", async () => {
    const { tables, commands } = store([missing], [missing]);
    const error = await failure(tables.verify());
    expect(hasCode(error, "table-missing")).to.be.true;
    expect(messageOf(error)).to.match(/orders and orders-fleet; start a worker/);
    expect(messageOf(await failure(store([leaseTable], [missing]).tables.verify()))).to.match(
      /has no table orders-fleet;/,
    );
    expect(commands()).to.deep.equal([]);
  });

  it("names a missing index", async () => {
    const error = await failure(store([kcl2Table], [fleetTable]).tables.verify());
    expect(hasCode(error, "table-mismatch")).to.be.true;
    expect(messageOf(error)).to.include(ownerIndex);
  });

  it("reads meta", async () => {
    const { store: withMeta } = stubbed({
      GetItem: () => ({ Item: { liveness: { S: "worker" }, format: { N: "1" }, joins: { N: "3" } } }),
    });
    expect(await withMeta.tables.meta()).to.deep.equal({ liveness: "worker", format: 1, joins: 3 });
  });
});
