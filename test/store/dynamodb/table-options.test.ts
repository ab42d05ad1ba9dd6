import type { TableDescription } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { LeaseholdError } from "../../../src/model/errors.js";
import {
  checkDynamoDbOptions,
  type Capability,
  type DynamoDbStoreOptions,
} from "../../../src/store/dynamodb/index.js";
import {
  fleetTableShape,
  leaseTableShape,
  ownerIndexShape,
} from "../../../src/store/dynamodb/table-shapes.js";
import { hurried, serviceError, stubbed } from "./stub.js";

const capacity = { ReadCapacityUnits: 5, WriteCapacityUnits: 6 };
const tags = { team: "orders", stage: "test" };
const Tags = [
  { Key: "team", Value: "orders" },
  { Key: "stage", Value: "test" },
];
const backupsOff = {
  ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: "DISABLED" } },
};

function description(name: unknown, more: Partial<TableDescription> = {}): TableDescription {
  const isLease = name === "orders";
  const shape = isLease ? leaseTableShape : fleetTableShape;
  return {
    TableName: String(name),
    TableArn: `arn:${String(name)}`,
    TableStatus: "ACTIVE",
    KeySchema: [...shape.keys],
    AttributeDefinitions: shape.create.AttributeDefinitions,
    BillingModeSummary: { BillingMode: "PAY_PER_REQUEST" },
    ...(isLease ? { GlobalSecondaryIndexes: [{ ...ownerIndexShape, IndexStatus: "ACTIVE" }] } : {}),
    ...more,
  };
}

/** A store that has the tables, or makes them when it is asked to. */
function store(
  stands: boolean,
  options: Partial<DynamoDbStoreOptions>,
  answers: Parameters<typeof stubbed>[0] = {},
  more: Partial<TableDescription> = {},
) {
  const made = new Set<unknown>();
  const capabilities: Capability[] = [];
  const differences: string[] = [];
  const { store: opened, sent } = stubbed(
    {
      DescribeTable: ({ TableName }) =>
        stands || made.has(TableName)
          ? { Table: description(TableName, more) }
          : serviceError("ResourceNotFoundException"),
      CreateTable: ({ TableName }) => {
        made.add(TableName);
      },
      DescribeTimeToLive: () => ({
        TimeToLiveDescription: { TimeToLiveStatus: "ENABLED", AttributeName: "expiresAt" },
      }),
      ListTagsOfResource: () => ({ Tags }),
      DescribeContinuousBackups: () => backupsOff,
      ...answers,
    },
    {
      clock: hurried,
      onCapability: (capability) => capabilities.push(capability),
      onTableDifference: ({ table, option, difference }) =>
        differences.push(`${table} ${option}: ${difference}`),
      ...options,
    },
  );
  return {
    tables: opened.tables,
    differences,
    inputs: (command: string) => sent.filter((one) => one.command === command).map(({ input }) => input),
    missing: () => capabilities.filter(({ present }) => !present).map(({ name }) => name),
  };
}

describe("tables that are made", () => {
  it("are on demand, untagged and unprotected where nothing is asked", async () => {
    const { tables, inputs, missing } = store(false, {});
    await tables.prepare();
    for (const input of inputs("CreateTable")) {
      expect(input).to.include({ BillingMode: "PAY_PER_REQUEST" });
      expect(input).to.not.have.any.keys("Tags", "DeletionProtectionEnabled", "ProvisionedThroughput");
    }
    expect(inputs("UpdateContinuousBackups")).to.deep.equal([]);
    expect(inputs("DescribeContinuousBackups")).to.deep.equal([]);
    expect(missing()).to.deep.equal([]);
  });

  it("have capacity, for the index too, tags and protection from their making on, and backups after it", async () => {
    const { tables, inputs, missing } = store(
      false,
      {
        billing: { readCapacityUnits: 5, writeCapacityUnits: 6 },
        tags,
        pointInTimeRecovery: true,
        deletionProtection: true,
      },
      {},
      { BillingModeSummary: undefined, ProvisionedThroughput: capacity, DeletionProtectionEnabled: true },
    );
    await tables.prepare();
    const made = inputs("CreateTable");
    expect(made.map(({ TableName }) => TableName).sort()).to.deep.equal(["orders", "orders-fleet"]);
    for (const input of made) {
      expect(input).to.deep.include({
        BillingMode: "PROVISIONED",
        ProvisionedThroughput: capacity,
        Tags,
        DeletionProtectionEnabled: true,
      });
    }
    const lease = made.find(({ TableName }) => TableName === "orders");
    expect(lease?.["GlobalSecondaryIndexes"]).to.deep.equal([
      { ...ownerIndexShape, ProvisionedThroughput: capacity },
    ]);
    expect(inputs("UpdateContinuousBackups")).to.have.length(2);
    expect(missing()).to.deep.equal([]);
  });

  it("wait until DynamoDB can back them up", async () => {
    const { tables, inputs, missing } = store(
      false,
      { pointInTimeRecovery: true },
      {
        UpdateContinuousBackups: (_, nth) =>
          nth <= 4 ? serviceError("ContinuousBackupsUnavailableException") : {},
      },
    );
    await tables.prepare();
    expect(inputs("UpdateContinuousBackups")).to.have.length(6);
    expect(missing()).to.deep.equal([]);
  });

  for (const name of ["UnknownOperationException", "AccessDeniedException"]) {
    it(`are used without backups where the store answers ${name}, which is told`, async () => {
      const answers = { UpdateContinuousBackups: () => serviceError(name) };
      const { tables, missing } = store(false, { pointInTimeRecovery: true }, answers);
      await tables.prepare();
      expect(missing()).to.deep.equal(["pointInTimeRecovery", "pointInTimeRecovery"]);
    });
  }

  it("are used without tags where the store knows none, which is told", async () => {
    const { tables, missing } = store(false, { tags }, { ListTagsOfResource: () => ({ Tags: [] }) });
    await tables.prepare();
    expect(missing()).to.deep.equal(["tags", "tags"]);
  });

  it("are completed by a second try, where the first ended before they could be used", async () => {
    let slow = true;
    const { tables, inputs } = store(
      false,
      { pointInTimeRecovery: true },
      {
        UpdateContinuousBackups: () => (slow ? serviceError("InternalServerError", 500) : {}),
      },
    );
    expect(
      await tables.prepare().then(
        () => "done",
        () => "failed",
      ),
    ).to.equal("failed");
    slow = false;
    await tables.prepare();
    expect(inputs("UpdateContinuousBackups").length).to.be.greaterThan(2);
    expect(inputs("DescribeContinuousBackups")).to.deep.equal([]);
  });
});

describe("tables that stand", () => {
  it("are not changed, and each difference is told", async () => {
    const { tables, inputs, differences } = store(true, {
      billing: { readCapacityUnits: 5, writeCapacityUnits: 6 },
      tags,
      pointInTimeRecovery: true,
      deletionProtection: true,
    });
    await tables.prepare();
    for (const command of ["CreateTable", "UpdateTable", "UpdateContinuousBackups", "TagResource"])
      expect(inputs(command), command).to.deep.equal([]);
    expect(differences.filter((text) => text.startsWith("orders "))).to.deep.equal([
      "orders billing: its billing is on-demand, asked for is 5 read and 6 write units",
      "orders deletionProtection: its deletion protection is off, asked for is on",
      "orders pointInTimeRecovery: its point-in-time recovery is off, asked for is on",
    ]);
    expect(differences).to.have.length(6);
  });

  it("are nobody's business where nothing is asked, whatever they are", async () => {
    const provisioned = { ProvisionedThroughput: capacity, DeletionProtectionEnabled: true };
    const { tables, differences } = store(true, {}, {}, { ...provisioned, BillingModeSummary: undefined });
    await tables.prepare();
    expect(differences).to.deep.equal([]);
  });
});

describe("options of the tables", () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ billing: "free" }, 'dynamodb.billing is "free": it must be "on-demand" or { readCapacityUnits'],
    [
      { billing: { readCapacityUnits: 5 } },
      "dynamodb.billing.writeCapacityUnits is undefined: it must be an integer",
    ],
    [
      { billing: { readCapacityUnits: 0, writeCapacityUnits: 1 } },
      "dynamodb.billing.readCapacityUnits is 0: it",
    ],
    [{ billing: { readCapacityUnits: 1, writeCapacityUnits: 1, max: 2 } }, "and nothing else"],
    [{ tags: ["a"] }, 'dynamodb.tags is ["a"]: it must be an object of names and texts'],
    [{ tags: { team: 5 } }, "dynamodb.tags.team is 5: it must be a text of at most 256 characters"],
    [{ tags: { "aws:x": "y" } }, "not beginning with aws:"],
    [{ tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`t${String(i)}`, ""])) }, "at most 50"],
    [{ pointInTimeRecovery: "yes" }, 'dynamodb.pointInTimeRecovery is "yes": it must be true or false'],
    [
      { deletionProtection: 1 },
      "dynamodb.deletionProtection is 1: it must be true or false; or leave it out",
    ],
  ];
  for (const [options, message] of wrong) {
    it(`are refused: ${message}`, () => {
      expect(() => {
        checkDynamoDbOptions(options);
      })
        .to.throw(LeaseholdError, message)
        .with.property("code", "invalid-option");
    });
  }
});
