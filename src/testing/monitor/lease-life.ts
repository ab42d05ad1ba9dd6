import type { LeaseholdEvent } from "../../model/events.js";
import { isBehind, lowest, shardEnd } from "./places.js";
import type { Refuse } from "./rules.js";
import type { TenureLife } from "./tenure-life.js";
import type { WorkerLife } from "./worker-life.js";

type Of<Type extends LeaseholdEvent["type"]> = Extract<LeaseholdEvent, { type: Type }>;

/** What one lease is asked about the rest of the fleet. */
export interface FleetWitness {
  /** Undefined: no such worker was created in this trace. */
  worker(workerId: string): WorkerLife | undefined;
  lease(leaseKey: string): LeaseLife | undefined;
  /** Whether somebody has written, or sent, a fence of this worker. */
  isFenced(workerId: string): boolean;
  /** Whether the trace shows every worker of the fleet: then what is missing in it did not happen. */
  readonly isWhole: boolean;
  /** The shortest that T may take, ms. */
  readonly expiryMs: number;
}

/** Epochs whose owners are kept: what is told late is told soon. */
const epochsKept = 32;
/** A row made anew after it was deleted with its table or by hand starts so far above that no change of hands gets there. */
const farAbove = 2 ** 19;
const nobody = "";

/** One lease across the whole fleet: an epoch after another, each with one owner or none. */
export class LeaseLife {
  readonly leaseKey: string;
  readonly #fleet: FleetWitness;
  readonly #refuse: Refuse;
  #highestBegun = -1;
  /** The last tenure begun, by whomever. */
  #holder: TenureLife | undefined;
  #holderEpoch = -1;
  /** Where it began. */
  #begunAt: string = lowest;
  /** The furthest place acknowledged since the row was made. */
  #checkpoint: string = lowest;
  /** Epoch to owner, or nobody. */
  readonly #owners = new Map<number, string>();
  #createdEpoch: number | undefined;
  #markedEpoch = -1;
  #archived = -1;
  /** A child has begun: nothing of this lease is worked any more. */
  #hasLivingChild = false;

  constructor(leaseKey: string, fleet: FleetWitness, refuse: Refuse) {
    this.leaseKey = leaseKey;
    this.#fleet = fleet;
    this.#refuse = refuse;
  }

  /** Before the worker's own account of it: it looks at how things stood. */
  began(event: Of<"tenure-began">, tenure: TenureLife, at: number): void {
    const { epoch, workerId, checkpoint } = event;
    if (epoch <= this.#highestBegun) {
      this.#refuse("epochs-increase", `an epoch above ${this.#highestBegun}, which was begun`);
    }
    this.#own(epoch, workerId);
    if (epoch === this.#markedEpoch + 1) this.#refuse("marked-not-taken", "the row made again first");
    this.#checkHolder(event, at);
    if (epoch - this.#highestBegun > farAbove) this.#forget();
    if (isBehind(checkpoint, this.#checkpoint)) {
      this.#refuse("successor-starts-from-checkpoint", `a start not behind ${this.#checkpoint}`);
    }
    if (this.#hasLivingChild && checkpoint !== shardEnd) {
      this.#refuse("parents-first", "no work on a parent whose child has begun");
    }
    this.#checkHistory(epoch);
    for (const parent of event.parents ?? []) this.#fleet.lease(parent)?.childBegan(this.#refuse);
    this.#highestBegun = this.#holderEpoch = epoch;
    this.#holder = tenure;
    this.#begunAt = this.#checkpoint = checkpoint;
  }

  #checkHolder({ how, from, epoch, workerId }: Of<"tenure-began">, at: number): void {
    const before = this.#holder;
    if (before !== undefined && before.worker.workerId !== workerId && before.mayBeBelieved(at)) {
      this.#refuse("one-believer", `the end of the belief of ${before.worker.workerId}`);
    }
    const taker = this.#fleet.worker(workerId);
    if (how === "taken" && before?.isOpen === true && !this.#fleet.isFenced(before.worker.workerId)) {
      this.#refuse("taken-only-when-given-up", `the end of the tenure of ${before.worker.workerId}`);
    }
    if (how === "taken-from-fenced" && from !== undefined) {
      const seen = taker?.seen.get(from);
      if (seen === undefined) {
        this.#refuse("taken-only-when-fenced", `a fence of ${from} that ${workerId} has seen`);
      } else if (seen.forced && at - seen.at < this.#fleet.expiryMs) {
        this.#refuse(
          "forced-frees-after-t",
          `T since the fence of ${from} was first read, not ${at - seen.at} ms`,
        );
      }
    }
    if (how === "handoff" && from !== undefined) this.#checkGiver(from, epoch);
  }

  #checkGiver(from: string, epoch: number): void {
    const giver = this.#fleet.worker(from)?.tenures.get(this.leaseKey);
    if (giver === undefined && !this.#fleet.isWhole) return;
    const gave = giver?.epoch === epoch - 1 && giver.mayBeGiven;
    if (!gave) this.#refuse("handed-over-by-its-owner", `the end of ${from}'s tenure at epoch ${epoch - 1}`);
    else if (!giver.drained) this.#refuse("drained-before-handoff", "drained before the handoff was sent");
  }

  /** Its row, at epoch − 1, held the tenure of epoch − 2 as its previous one: that was archived before this change. */
  #checkHistory(epoch: number): void {
    const first = this.#createdEpoch;
    if (!this.#fleet.isWhole || first === undefined || epoch - 2 < first) return;
    if (this.#archived < epoch - 2) {
      this.#refuse("history-before-change", `epoch ${epoch - 2} in the history before epoch ${epoch} begins`);
    }
  }

  archived({ epoch }: Of<"history-archived">): void {
    const first = this.#createdEpoch;
    const isNext = epoch <= this.#archived + 1 || epoch === first || epoch - this.#archived > farAbove;
    if (this.#fleet.isWhole && first !== undefined && epoch > first && !isNext) {
      this.#refuse("history-in-order", `the entry of epoch ${this.#archived + 1} first`);
    }
    this.#archived = Math.max(this.#archived, epoch);
  }

  raised({ to, workerId }: Of<"tenure-raised">, tenure: TenureLife): void {
    this.#own(to, workerId);
    if (to <= this.#highestBegun) {
      this.#refuse("epochs-increase", `an epoch above ${this.#highestBegun}, which was begun`);
    }
    if (this.#holder === tenure) this.#holderEpoch = to;
    this.#highestBegun = Math.max(this.#highestBegun, to);
  }

  given(epoch: number, target: string | undefined): void {
    this.#own(epoch + 1, target ?? nobody);
  }

  /** What was written before the successor's begin may be told after it; what lies beyond that begin was written later. */
  checkpointed({ epoch, checkpoint }: Of<"checkpointed">): void {
    if (epoch >= this.#holderEpoch) {
      if (isBehind(this.#checkpoint, checkpoint)) this.#checkpoint = checkpoint;
    } else if (isBehind(this.#begunAt, checkpoint)) {
      this.#refuse(
        "deposed-writes-nothing",
        `a place not beyond ${this.#begunAt}, where the successor began`,
      );
    }
  }

  created({ epoch, checkpoint }: Of<"lease-created">): void {
    this.#own(epoch, nobody);
    this.#createdEpoch = epoch;
    this.#hasLivingChild = false;
    if (epoch > this.#highestBegun) this.#checkpoint = checkpoint;
  }

  marked({ epoch }: Of<"lease-marked">, at: number): void {
    this.#own(epoch, nobody);
    this.#markedEpoch = epoch;
    if (this.#holder?.mayBeBelieved(at) === true) {
      this.#refuse("marked-only-when-free", `the end of the belief of ${this.#holder.worker.workerId}`);
    }
  }

  /** Nothing is known any more of a row that stands in a table made anew. */
  #forget(): void {
    this.#checkpoint = lowest;
    this.#hasLivingChild = false;
    if (this.#createdEpoch !== undefined && this.#createdEpoch < this.#highestBegun)
      this.#createdEpoch = undefined;
  }

  childBegan(refuse: Refuse): void {
    const isUnderWay = this.#holder?.worker.process.underWay.has(this.leaseKey) === true;
    const wasNeverBegun = this.#createdEpoch !== undefined && this.#highestBegun < this.#createdEpoch;
    if (isUnderWay || (wasNeverBegun && this.#markedEpoch < 0)) {
      refuse("parents-first", `the end of ${this.leaseKey} first`);
    }
    this.#hasLivingChild = true;
  }

  /** A batch of it is handed over. */
  worked(): void {
    if (this.#hasLivingChild) this.#refuse("parents-first", "no work on a parent whose child has begun");
  }

  #own(epoch: number, owner: string): void {
    const known = this.#owners.get(epoch);
    if (known !== undefined && known !== owner) {
      this.#refuse("epoch-used-once", `epoch ${epoch} to be ${known === nobody ? "nobody's" : `${known}'s`}`);
    }
    this.#owners.set(epoch, owner);
    this.#owners.delete(epoch - epochsKept);
  }
}
