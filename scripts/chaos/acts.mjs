// Does what the schedule says, when it says so, and counts what was done.
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "../host-clock.mjs";

/** Fewer shards than workers leave some without work; more than so many starve a small machine. */
const leastShards = 5;
const mostShards = 12;
const reshardTries = 3;

export class Acts {
  #rig;
  #crew;
  #say;
  #startedAt = 0;
  done = { kill: 0, pause: 0, stop: 0, reshard: 0, proxy: 0 };
  /** When it was bad before whom: `WeatherStretch` of src/testing/chaos/ends.ts. */
  weather = [];

  constructor({ rig, crew, say }) {
    this.#rig = rig;
    this.#crew = crew;
    this.#say = say;
  }

  /** Resolves when all of them are over and whoever was to come back has been started. */
  async run(schedule) {
    this.#startedAt = nowMs();
    await Promise.all(schedule.map((act) => this.#at(act)));
  }

  async #at(act) {
    await sleep(Math.max(0, this.#startedAt + act.atMs - nowMs()));
    const done = (what, kind = act.kind) => {
      this.done[kind]++;
      this.#say(what);
    };
    switch (act.kind) {
      case "kill":
        return this.#crew.kill(act, done);
      case "pause":
        return this.#crew.pause(act, done);
      case "stop":
        return this.#crew.stop(act, done);
      case "reshard":
        return this.#reshard(act, done);
      case "proxy":
        return this.#weather(act, done);
      default:
        throw new Error(`the schedule has an act of an unknown kind: ${act.kind}`);
    }
  }

  async #reshard({ how, pick }, done) {
    const { stream } = this.#rig;
    for (let tries = 1; ; tries++) {
      try {
        const shards = await stream.openShards();
        const isSplit = shards.length <= leastShards || (how === "split" && shards.length < mostShards);
        if (isSplit) {
          const shard = shards[pick % shards.length];
          await stream.split(shard);
          done(`split of ${shard.shardId}`);
        } else {
          const left = pick % (shards.length - 1);
          await stream.merge(shards[left], shards[left + 1]);
          done(`merge of ${shards[left].shardId} and ${shards[left + 1].shardId}`);
        }
        return;
      } catch (error) {
        this.#say(`a reshard failed: ${error.message}`);
        if (tries >= reshardTries) return;
        await sleep(1_000);
      }
    }
  }

  async #weather({ weather, before, pick, forMs }, done) {
    const { slots } = this.#crew;
    const hit = before === "all" ? slots : [slots[pick % slots.length]];
    const from = nowMs();
    for (const { way } of hit) way.set(weather);
    const whose = before === "all" ? "everybody" : hit[0].label;
    done(`${weather.name}: for ${whose}, ${(forMs / 1_000).toFixed(1)} s`);
    await sleep(forMs);
    for (const { way, label } of hit) {
      way.end(weather);
      this.weather.push({ label, from, to: nowMs() });
    }
  }
}
