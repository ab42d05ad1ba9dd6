// What a worker with 32 idle shards weighs, beside the least that reads them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fleet } from "./fleet.mjs";
import { residentBytes } from "./memory.mjs";

const loop = path.join(import.meta.dirname, "sdk-loop.mjs");
const restMs = 60_000;
/** A heap swings by some megabytes from one collection to the next: what counts is the median of half a minute. */
const sampleCount = 31;
const sampleEveryMs = 1_000;

/** @returns {Promise<{ worker: number, loop: number }>} bytes */
export async function resident({ rig, say }) {
  const fleet = new Fleet(rig, { application: "resident", source: ["--stream", "idle"], leases: 32 });
  const bare = spawn(process.execPath, [loop, "idle"], {
    env: rig.env(),
    stdio: ["ignore", "ignore", "inherit"],
  });
  const gone = once(bare, "exit");
  try {
    const worker = fleet.start();
    await fleet.owned(1);
    await sleep(restMs);
    const samples = { worker: [], loop: [] };
    for (let i = 0; i < sampleCount; i++) {
      samples.worker.push(residentBytes(worker.pid));
      samples.loop.push(residentBytes(bare.pid));
      await sleep(sampleEveryMs);
    }
    const bytes = { worker: median(samples.worker), loop: median(samples.loop) };
    const megabytes = (value) => `${(value / 2 ** 20).toFixed(1)} MiB`;
    say(`32 idle shards: a worker ${megabytes(bytes.worker)}, a bare loop ${megabytes(bytes.loop)}`);
    return bytes;
  } finally {
    bare.kill("SIGKILL");
    await gone;
    await fleet.close();
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
