import type { Cancel, Clock } from "../../runtime/clock.js";
import { table } from "../output.js";
import { shardName, type Board } from "./board.js";
import type { Crew } from "./crew.js";
import type { Sink } from "./sink.js";

export interface ScreenOptions {
  readonly clock: Clock;
  readonly out: NodeJS.WriteStream;
}

/** What the screen shows, once there is something to show. */
export interface Scene {
  readonly board: Board;
  readonly crew: Crew;
  readonly sink: Sink;
  readonly records: number;
  readonly put: () => number;
}

const redrawMs = 250;
const keptLines = 8;

/** Shows who owns what: on a terminal a table that is redrawn, elsewhere a line for every change. */
export class Screen {
  readonly #clock: Clock;
  readonly #out: NodeJS.WriteStream;
  readonly #startedAtMs: number;
  readonly #lines: string[] = [];
  #drawn = 0;
  #scene: Scene | undefined;
  #cancel: Cancel | undefined;

  constructor({ clock, out }: ScreenOptions) {
    this.#clock = clock;
    this.#out = out;
    this.#startedAtMs = clock.now().monoMs;
  }

  /** A step of the story. */
  say(text: string): void {
    this.#line(`>> ${text}`);
  }

  /** A change that a worker reported. */
  note(text: string): void {
    this.#line(`   ${text}`);
  }

  /** Starts to draw, where that is possible. */
  show(scene: Scene): void {
    this.#scene = scene;
    if (!this.#out.isTTY) return;
    const tick = (): void => {
      this.#draw();
      // A picture four times a second: the eye needs no more, and the workers need the processor.
      this.#cancel = this.#clock.setTimer(redrawMs, tick);
    };
    tick();
  }

  /** The last picture stays; what follows is plain text. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#scene !== undefined && this.#out.isTTY) this.#draw();
    this.#scene = undefined;
  }

  #line(text: string): void {
    const at = (this.#clock.now().monoMs - this.#startedAtMs) / 1_000;
    const line = `[${at.toFixed(1).padStart(5)} s] ${text}`;
    if (this.#cancel === undefined) {
      this.#out.write(`${line}\n`);
      return;
    }
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.shift();
  }

  #draw(): void {
    const scene = this.#scene;
    if (scene === undefined) return;
    const { columns, rows } = this.#out;
    // A picture taller than the terminal cannot be drawn over: its head would have scrolled away.
    const head = fit(picture(scene), rows - keptLines - 3);
    const lines = [...head, "", ...this.#lines].map((line) => line.slice(0, columns - 1));
    // Up to where the last picture began, and everything below is cleared: it may have been longer.
    const home = this.#drawn === 0 ? "" : `\u001b[${String(this.#drawn)}A\r\u001b[0J`;
    this.#out.write(`${home}${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }
}

function fit(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines;
  const shown = Math.max(1, rows - 1);
  return [...lines.slice(0, shown), `... and ${String(lines.length - shown)} more`];
}

function picture({ board, crew, sink, records, put }: Scene): readonly string[] {
  return [
    `put ${String(put())} of ${String(records)}   processed ${String(sink.records)}   twice ${String(sink.duplicates)}   late writes refused ${String(sink.refusedWrites + board.refusedCheckpoints)}   moves ${String(board.moves)}`,
    "",
    crew.members.map(({ label, state, pid }) => `${label} ${state} (pid ${String(pid)})`).join("   "),
    "",
    ...ownerTable(board, sink),
  ];
}

/** Who owns what, for the picture and for the end. */
export function ownerTable(board: Board, sink: Sink): readonly string[] {
  return table(
    ["SHARD", "OWNER", "EPOCH", "RECORDS"],
    board
      .all()
      .map(({ leaseKey, label, epoch, isHeld }) => [
        shardName(leaseKey),
        board.isFinished(leaseKey) ? "finished" : isHeld ? label : "-",
        String(epoch),
        sink.recordsOf(leaseKey),
      ]),
  );
}
