import type { LeaseholdEvent } from "../../model/events.js";
import { isBehind, lowest } from "./places.js";
import type { Refuse } from "./rules.js";
import type { WorkerLife } from "./worker-life.js";

type Of<Type extends LeaseholdEvent["type"]> = Extract<LeaseholdEvent, { type: Type }>;
type EndReason = Of<"tenure-ended">["reason"];

/** One worker's tenures of one lease, one after another. */
export class TenureLife {
  readonly leaseKey: string;
  readonly worker: WorkerLife;
  /** Of the present tenure or the last one; −1 before the first. */
  epoch = -1;
  /** The last tenure's end; undefined while one runs. */
  endReason: EndReason | undefined;
  /** The last tenure has come to rest. */
  drained = false;
  /** Where the last tenure stands, by what was acknowledged. */
  checkpoint: string = lowest;
  readonly #refuse: Refuse;
  /** The highest epoch begun or given up. */
  #highest = -1;
  #isOpen = false;
  /** The worker's stretch of belief that it began in. */
  #stretch = 0;
  #told = false;
  #given = false;
  /** The epochs of the last tenure handed over: where it began, and where a raise had brought it. */
  #handedOver: readonly [number, number] = [0, -1];
  #begunAt = -1;
  #batchEnd: string | undefined;
  /** The end of the last batch that was worked through. */
  #worked: string | undefined;

  constructor(leaseKey: string, worker: WorkerLife, refuse: Refuse) {
    this.leaseKey = leaseKey;
    this.worker = worker;
    this.#refuse = refuse;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Whether a handoff of it may be under way: it has ended to be handed over; or it had come to rest for that, and its
   * belief ran out while the history was written. Nothing is worked since, and the store knows whose the epoch is.
   */
  get mayBeGiven(): boolean {
    return !this.#isOpen && (this.drained || this.endReason === "handoff" || this.endReason === "stop");
  }

  /** Whether somebody may believe in it at this instant. */
  mayBeBelieved(at: number): boolean {
    return this.#isOpen && this.#stretch === this.worker.stretch && this.worker.mayBelieve(at);
  }

  began(event: Of<"tenure-began">, at: number): void {
    const { worker } = this;
    if (worker.forced) this.#refuse("fenced-is-silent", "nothing begun after an operator's fence was read");
    if (!worker.mayBelieve(at)) this.#refuse("begins-within-belief", "a belief that has not run out");
    if (this.#isOpen) this.#refuse("one-tenure-at-a-time", `the end of the tenure at epoch ${this.epoch}`);
    if (event.epoch <= this.#highest) {
      this.#refuse("epoch-above-own", `an epoch above ${this.#highest}, begun or given up by this worker`);
    }
    if (worker.process.stuck.has(this.leaseKey)) {
      this.#refuse("stuck-not-adopted", "the return of the old processor first");
    }
    this.#checkSource(event);
    this.epoch = this.#highest = this.#begunAt = event.epoch;
    this.checkpoint = event.checkpoint;
    this.endReason = undefined;
    this.drained = this.#told = this.#given = false;
    this.#batchEnd = this.#worked = undefined;
    this.#isOpen = true;
    this.#stretch = worker.stretch;
    worker.openTenures += 1;
  }

  #checkSource({ how, from, workerId }: Of<"tenure-began">): void {
    const fits =
      how === "taken"
        ? from === undefined
        : how === "taken-from-fenced" || how === "handoff"
          ? from !== undefined && from !== workerId
          : (how === "resumed" || how === "raised") && from === workerId;
    if (!fits) this.#refuse("begin-names-its-source", `an owner before that goes with "${how}"`);
  }

  ended({ epoch, reason }: Of<"tenure-ended">): void {
    if (!this.#isOpen || epoch !== this.epoch) {
      this.#refuse("ends-once", this.#isOpen ? `the end of epoch ${this.epoch}` : "a tenure that runs");
      return;
    }
    if (reason === "handoff") this.#checkDrained();
    const { told, stuck } = this.worker.process;
    if (reason === "stuck" && told.has(this.leaseKey)) stuck.add(this.leaseKey);
    this.#isOpen = false;
    this.endReason = reason;
    this.worker.openTenures -= 1;
  }

  raised({ epoch, to }: Of<"tenure-raised">): void {
    if (!this.#isOpen || epoch !== this.epoch) this.#refuse("ends-once", "a tenure that runs at this epoch");
    if (to !== epoch + 1) this.#refuse("epochs-increase", `epoch ${epoch + 1}`);
    this.epoch = this.#highest = to;
  }

  handedOff({ epoch, target, workerId }: Of<"handed-off">): void {
    const isItsOwn = epoch === this.epoch && !this.#given;
    if (!isItsOwn || !this.mayBeGiven) {
      this.#refuse("ended-before-given", "a tenure at this epoch that has ended to be handed over, once");
    }
    if (target === workerId) this.#refuse("handed-over-by-its-owner", "another worker as the target");
    this.#checkDrained();
    this.#given = true;
    this.#handedOver = [this.#begunAt, epoch];
  }

  /** Of a tenure, or of a row that named the worker and that it ran none of: sent, it gives the epoch up. */
  released({ epoch, reason }: Of<"released">): void {
    if (epoch === this.epoch && !this.#given) {
      if (this.#isOpen) this.#refuse("ended-before-given", `the end of the tenure, as "${reason}"`);
      this.#given = true;
    }
    this.#highest = Math.max(this.#highest, epoch);
  }

  /** A batch of this tenure is in the processor's hands. One of a tenure that ended was told to break off: nothing waits for it. */
  get #isWorking(): boolean {
    return (this.worker.process.underWay.get(this.leaseKey) ?? -1) >= this.#begunAt;
  }

  #checkDrained(): void {
    if (!this.drained) this.#refuse("drained-before-handoff", "drained before the handoff is sent");
    if (this.#isWorking) this.#refuse("drained-before-handoff", "no batch under way");
  }

  drainedAt({ epoch, checkpoint }: Of<"drained">, automatic: boolean): void {
    if (!this.#isOpen || epoch !== this.epoch) this.#refuse("ends-once", "a tenure that runs at this epoch");
    if (this.#isWorking) this.#refuse("drained-before-handoff", "no batch under way");
    if (automatic && this.#worked !== undefined && isBehind(checkpoint, this.#worked)) {
      this.#refuse("drained-is-checkpointed", `a checkpoint not behind ${this.#worked}`);
    }
    this.drained = true;
  }

  batchStarted({ epoch, first, last }: Of<"batch-started">, at: number): void {
    const { underWay } = this.worker.process;
    if (epoch !== this.epoch || !this.mayBeBelieved(at)) {
      this.#refuse("works-within-belief", "a tenure at this epoch, within a belief that has not run out");
    }
    if (this.drained) this.#refuse("no-work-after-drain", "nothing handed over after the drain");
    if (underWay.has(this.leaseKey)) this.#refuse("one-batch-at-a-time", "the return of the batch before");
    if (first !== undefined && !isBehind(this.checkpoint, first)) {
      this.#refuse("work-beyond-checkpoint", `records beyond ${this.checkpoint}`);
    }
    underWay.set(this.leaseKey, epoch);
    this.#batchEnd = last;
  }

  /** A call of it is back. @param isDone a batch was worked through */
  isBack(isDone: boolean): void {
    const { process } = this.worker;
    // What needed no hand-over, since all of it was checkpointed, is finished without having been under way.
    if (isDone && process.underWay.has(this.leaseKey)) this.#worked = this.#batchEnd;
    process.isBack(this.leaseKey);
  }

  checkpointed({ epoch, checkpoint }: Of<"checkpointed">): void {
    if (epoch !== this.epoch) {
      this.#refuse(
        "checkpoint-by-its-tenure",
        `a checkpoint at epoch ${this.epoch}, which it holds or held last`,
      );
    }
    if (!isBehind(this.checkpoint, checkpoint)) {
      this.#refuse("checkpoint-goes-forward", `a place beyond ${this.checkpoint}`);
    }
    this.checkpoint = checkpoint;
  }

  lossTold({ epoch, reason }: Of<"lease-lost-told">): void {
    const isOver = epoch === this.epoch && reason === this.endReason && !this.#told;
    const isLoss = reason !== "handoff" && reason !== "stop" && reason !== "partition-ended";
    if (!isOver || !isLoss) {
      this.#refuse("loss-told-once", `once, after the end of a tenure that was lost as "${reason}"`);
    }
    this.#told = true;
  }

  directiveAnswered({ epoch, answer }: Of<"directive-answered">): void {
    const [from, to] = this.#handedOver;
    if (answer === "handed-off" && (epoch < from || epoch > to)) {
      this.#refuse("directive-at-its-epoch", `a handoff at epoch ${epoch}`);
    }
  }
}
