import type { OpenShard } from "../../embedded/demo-stream.js";
import { sleep, type Clock } from "../../runtime/clock.js";
import { CommandError } from "../output.js";
import { shardName, type Board, type Owned } from "./board.js";
import type { Crew, Member } from "./crew.js";
import type { Sink } from "./sink.js";

export interface ChaosOptions {
  readonly clock: Clock;
  readonly crew: Crew;
  readonly board: Board;
  readonly sink: Sink;
  readonly stream: {
    openShards(): Promise<readonly OpenShard[]>;
    split(shard: OpenShard): Promise<void>;
    merge(left: OpenShard, right: OpenShard): Promise<void>;
  };
  readonly workers: number;
  readonly leaseDurationMs: number;
  readonly say: (text: string) => void;
  /** Resolves at the next batch that the member has taken in hand and not written yet. */
  readonly nextWork: (member: Member) => Promise<void>;
  readonly signal: AbortSignal;
}

/** How long things took, in ms. */
export interface Times {
  /** From the first worker process's start to its first record in the sink. */
  readonly startMs: number;
  /** From SIGKILL until the last of the dead worker's shards was read by another. */
  readonly failoverMs: number;
  /** From SIGTERM until the last of the leaver's shards was read by another. */
  readonly deployMs: number;
}

const lookEveryMs = 20;
const shareWithinMs = 12_000;

/** Does to the workers and the stream what production does to them, and measures how long the fleet takes to recover. */
export class Chaos {
  readonly #options: ChaosOptions;

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  async run(): Promise<Times> {
    const { crew, workers, say } = this.#options;
    const first = Array.from({ length: workers }, () => crew.start());
    const startMs = await this.#started(first);
    const [killed, frozen] = await this.#pickVictims(first);

    // The dead worker's shards wait for their time, the frozen one's for theirs: neither measures the other.
    const failover = this.#kill(killed);
    const replacement = crew.start();
    await this.#until(() => this.#hasJoined(replacement), 20_000, `${replacement.label} to join`);
    const [failoverMs] = await Promise.all([failover, this.#freeze(frozen)]);

    await this.#reshard();
    await this.#share();

    const leaver =
      first.find((member) => member !== killed && member !== frozen && this.#holds(member)) ??
      crew.members.find((member) => member.state === "running" && this.#holds(member));
    if (leaver === undefined) throw new CommandError("demo-failed", "no worker is left to deploy over");
    const deployMs = await this.#deploy(leaver);
    say("all of it done; the rest of the records follows");
    return { startMs, failoverMs, deployMs };
  }

  async #started(members: readonly Member[]): Promise<number> {
    const { clock, sink, board, stream, say } = this.#options;
    const startedAtMs = members[0]?.startedAtMs ?? clock.now().monoMs;
    await this.#until(() => sink.records > 0, 30_000, "the first record");
    const startMs = Math.round(clock.now().monoMs - startedAtMs);
    say(`first record ${seconds(startMs)} after the start`);
    const shards = await stream.openShards();
    await this.#until(
      () =>
        shards.every(({ shardId }) => board.isHeld(shardId) && sink.tokenOf(shardId) > 0) &&
        members.every((member) => this.#hasJoined(member)),
      30_000,
      "every shard to be read",
    );
    return startMs;
  }

  /** Two workers that hold something; a fleet that started unevenly gets the time to balance. */
  async #pickVictims(members: readonly Member[]): Promise<readonly [Member, Member]> {
    const holders = (): readonly Member[] => members.filter((member) => this.#holds(member));
    await this.#until(() => holders().length >= 2, 30_000, "two workers to hold shards");
    const [killed, frozen] = holders();
    if (killed === undefined || frozen === undefined) throw new CommandError("demo-failed", "no victims");
    return [killed, frozen];
  }

  async #kill(member: Member): Promise<number> {
    const { clock, board, say } = this.#options;
    const held = board.heldBy(member.label);
    say(`SIGKILL to ${member.label}, which holds ${names(held)}`);
    const killedAtMs = clock.now().monoMs;
    member.kill();
    await this.#readElsewhere(held);
    const failoverMs = Math.round(clock.now().monoMs - killedAtMs);
    say(`the shards of ${member.label} are read by others ${seconds(failoverMs)} after its death`);
    return failoverMs;
  }

  async #freeze(member: Member): Promise<void> {
    const { clock, board, say, nextWork, leaseDurationMs } = this.#options;
    // In the middle of a batch: its write is then the latest of late writes.
    await nextWork(member);
    member.freeze();
    const frozenAtMs = clock.now().monoMs;
    const held = board.heldBy(member.label);
    say(`SIGSTOP to ${member.label} in the middle of a batch; it holds ${names(held)}`);
    await this.#readElsewhere(held);
    const leftMs = frozenAtMs + leaseDurationMs * 1.5 - clock.now().monoMs;
    if (leftMs > 0) await sleep(clock, leftMs, this.#options.signal);
    const joins = this.#joins.get(member.label) ?? 0;
    say(
      `SIGCONT to ${member.label} after ${seconds(clock.now().monoMs - frozenAtMs)}: it still has a batch in its hands`,
    );
    member.thaw();
    await this.#until(
      () => (this.#joins.get(member.label) ?? 0) > joins,
      30_000,
      `${member.label} to rejoin`,
    );
  }

  async #reshard(): Promise<void> {
    const { board, sink, stream, say } = this.#options;
    const before = await stream.openShards();
    const [split, left, right] = before.length > 2 ? before : [before[0]];
    if (split === undefined) throw new CommandError("demo-failed", "the stream has no open shard");
    say(`splitting ${shardName(split.shardId)}`);
    await stream.split(split);
    const parents = [split];
    if (left !== undefined && right !== undefined) {
      say(`merging ${shardName(left.shardId)} and ${shardName(right.shardId)}`);
      await stream.merge(left, right);
      parents.push(left, right);
    }
    const known = new Set(before.map(({ shardId }) => shardId));
    const expected = left === undefined ? 2 : 3;
    let children: readonly OpenShard[] = [];
    await this.#until(
      async () => {
        children = (await stream.openShards()).filter(({ shardId }) => !known.has(shardId));
        return children.length === expected;
      },
      10_000,
      "the new shards to open",
    );
    await this.#until(
      () =>
        parents.every(({ shardId }) => board.isFinished(shardId)) &&
        children.every(({ shardId }) => sink.tokenOf(shardId) > 0),
      60_000,
      `the new shards ${children.map(({ shardId }) => shardName(shardId)).join(", ")} to be read after their parents' end`,
    );
    say("the new shards are read, each after its parents' end");
  }

  /** Lets the newcomers get something. No failure where they do not: there may be fewer shards than workers. */
  async #share(): Promise<void> {
    const { clock, crew, signal } = this.#options;
    const startedAtMs = clock.now().monoMs;
    const hasShare = (member: Member): boolean => member.state !== "running" || this.#holds(member);
    while (!crew.members.every(hasShare) && clock.now().monoMs - startedAtMs < shareWithinMs) {
      await sleep(clock, lookEveryMs, signal);
      signal.throwIfAborted();
    }
  }

  async #deploy(member: Member): Promise<number> {
    const { clock, crew, board, say } = this.#options;
    const successor = crew.start();
    say(`deploying ${successor.label} over ${member.label}`);
    await this.#until(() => this.#hasJoined(successor), 20_000, `${successor.label} to join`);
    const held = board.heldBy(member.label);
    say(`SIGTERM to ${member.label}, which holds ${names(held)}`);
    const stoppedAtMs = clock.now().monoMs;
    member.leave();
    await this.#readElsewhere(held);
    const deployMs = Math.round(clock.now().monoMs - stoppedAtMs);
    say(`the shards of ${member.label} are read by others ${seconds(deployMs)} after its SIGTERM`);
    return deployMs;
  }

  /** Waits until each lease was read in a later epoch than the one it was lost in. */
  async #readElsewhere(held: readonly Owned[]): Promise<void> {
    const { sink } = this.#options;
    await this.#until(
      () => held.every(({ leaseKey, epoch }) => sink.tokenOf(leaseKey) > epoch),
      60_000,
      `${names(held)} to be read by others`,
    );
  }

  #holds(member: Member): boolean {
    return this.#options.board.heldBy(member.label).length > 0;
  }

  #hasJoined(member: Member): boolean {
    return (this.#joins.get(member.label) ?? 0) > 0;
  }

  get #joins(): ReadonlyMap<string, number> {
    return this.#options.board.joins;
  }

  async #until(isSo: () => boolean | Promise<boolean>, withinMs: number, what: string): Promise<void> {
    const { clock, signal } = this.#options;
    const startedAtMs = clock.now().monoMs;
    while (!(await isSo())) {
      signal.throwIfAborted();
      if (clock.now().monoMs - startedAtMs > withinMs) {
        throw new CommandError("demo-failed", `waited ${seconds(withinMs)} in vain for ${what}`);
      }
      await sleep(clock, lookEveryMs, signal);
    }
    signal.throwIfAborted();
  }
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function names(held: readonly Owned[]): string {
  return held.map(({ leaseKey }) => shardName(leaseKey)).join(", ");
}
