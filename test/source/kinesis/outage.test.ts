import { GetRecordsCommand, GetShardIteratorCommand, type KinesisClient } from "@aws-sdk/client-kinesis";
import { expect } from "chai";
import { resolveProtocol } from "../../../src/model/config.js";
import { ProcessingHost } from "../../../src/processing/host.js";
import { sleep } from "../../../src/runtime/clock.js";
import { kinesis } from "../../../src/source/kinesis/kinesis-source.js";
import { Belief } from "../../../src/tenure/belief.js";
import { Tenure } from "../../../src/tenure/tenure.js";
import { seededRandom, VirtualTime } from "../../../src/testing/index.js";
import { FakeLane, lease } from "../../processing/workbench.js";
import { record } from "./fake-kinesis.js";

describe("an outage in which every call to the stream hangs", () => {
  // More shards than the memory for reads lets read at once: the others wait for it.
  for (const shards of [64, 128]) {
    it(`moves none of ${String(shards)} leases that were reading at full load`, async () => {
      const time = new VirtualTime();
      const clock = time.clock();
      const data = new Uint8Array(1_000_000);
      let isOut = false;
      let sequence = 0;
      let batches = 0;
      const client = {
        destroy: () => {},
        send: async (command: unknown): Promise<unknown> => {
          if (command instanceof GetRecordsCommand) await sleep(clock, 100);
          if (isOut) return new Promise(() => {});
          if (command instanceof GetShardIteratorCommand) return { ShardIterator: "i" };
          const Records = Array.from({ length: 10 }, () => record(++sequence, data));
          return { NextShardIterator: "i", MillisBehindLatest: 60_000, Records };
        },
      };
      const make = (): KinesisClient => client as unknown as KinesisClient;
      const source = kinesis({ streamName: "orders", client: make })({ clock, random: seededRandom(1) });
      const config = resolveProtocol({ leaseDurationMs: 3_600_000 });
      const belief = new Belief(clock, config, () => {});
      belief.extend(clock.now());
      const lane = new FakeLane([], () => time.nowMs);
      const host = new ProcessingHost({
        clock,
        random: seededRandom(2),
        emit: () => {},
        workerId: () => "w1",
        config,
        source,
        processor: {
          process: () => {
            batches++;
          },
        },
        partitionEnd: { createChildren: async () => {}, finished: async () => {} },
      });
      const tenures = Array.from({ length: shards }, (_, i) => {
        const row = lease(`shard-${String(i)}`);
        return new Tenure({ row, how: "taken", from: undefined }, { clock, belief, lane }, () => {});
      });
      for (const tenure of tenures) host.begin(tenure);
      await time.advance(5_000);
      expect(batches).to.be.greaterThan(shards);
      isOut = true;
      await time.advance(600_000);
      expect(lane.releases).to.deep.equal([]);
      for (const tenure of tenures) tenure.end("stop");
      belief.end();
      await time.runUntilSettled(host.close(), 120_000);
      source.close();
    });
  }
});
