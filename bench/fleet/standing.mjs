// The fleet of three that most scenarios share: whatever one of them did to it, the next finds it whole and at rest.
import { Fleet } from "./fleet.mjs";
import { Stream } from "./stream.mjs";

const workers = 3;
const shards = 64;
/** A victim holds at least so many. */
const leastHeld = 20;
const victimTries = 4;
const recordEveryMs = 2_000;

export class Standing {
  #fleet;
  #stream;
  #supervisor;
  /** How long the next workers work on a batch. */
  #workMs = 0;

  constructor(rig) {
    this.#fleet = new Fleet(rig, {
      application: "standing",
      source: ["--stream", "standing", "--empty-batches"],
      leases: shards,
    });
    this.#stream = new Stream(rig, "standing");
  }

  get fleet() {
    return this.#fleet;
  }

  get stream() {
    return this.#stream;
  }

  /** Records come in evenly while `work` runs. */
  async underTraffic(work) {
    await this.#stream.produce(recordEveryMs);
    try {
      return await work();
    } finally {
      await this.#stream.rest();
    }
  }

  /** Three workers, each a process of its own. @returns as `Fleet.settled` */
  async whole() {
    if (this.#supervisor !== undefined) {
      await this.#fleet.stop();
      this.#supervisor = undefined;
    }
    while (this.#fleet.members.size < workers) this.#fleet.start({ workMs: this.#workMs });
    return this.#fleet.settled(workers);
  }

  /** Every worker's work on a batch takes so long while `scenario` runs; the scenarios after it want none that linger. */
  async working(workMs, scenario) {
    await this.#fleet.stop();
    this.#supervisor = undefined;
    this.#workMs = workMs;
    try {
      return await scenario();
    } finally {
      this.#workMs = 0;
      await this.#fleet.stop();
    }
  }

  /** Three workers under one supervisor. */
  async supervised() {
    if (this.#supervisor === undefined) {
      await this.#fleet.stop();
      this.#supervisor = this.#fleet.startSupervised(workers);
    }
    return this.#fleet.settled(workers);
  }

  /** One worker of the fleet at rest that holds enough to be worth a kill. */
  async victim(isMeant = () => true) {
    for (let tries = 1; ; tries++) {
      const placement = await (this.#supervisor === undefined ? this.whole() : this.supervised());
      const victim = placement.find((worker) => worker.leases.size >= leastHeld && isMeant(worker));
      if (victim !== undefined) return victim;
      const held = placement.map(({ workerId, leases }) => `${workerId} ${leases.size}`).join(", ");
      if (tries >= victimTries) throw new Error(`none to kill holds ${leastHeld} leases: ${held}`);
      // Balance leaves a tenth to either side; whoever comes next is filled anew.
      const heaviest = this.#fleet.memberOf(placement[0].workerId);
      heaviest.child.kill("SIGTERM");
      await heaviest.gone;
    }
  }

  async close() {
    await this.#stream.rest();
    await this.#fleet.close();
    this.#stream.close();
  }
}
