import { table } from "../output.js";
import type { Board } from "./board.js";
import { seconds, type Times } from "./chaos.js";
import { addTo, sameTotals, type Sink, type Total } from "./sink.js";
import type { Producer } from "./producer.js";

/** What `leasehold demo --json` prints at its end. */
export interface DemoResult {
  /** Nothing lost, the aggregates equal to the input's, and at least one late write refused. */
  readonly ok: boolean;
  readonly records: number;
  readonly lost: number;
  /** Records written twice; counted once. */
  readonly duplicates: number;
  /** Late writes refused, by the sink's fencing tokens or by a checkpoint's epoch. */
  readonly refusedWrites: number;
  readonly startMs: number;
  readonly failoverMs: number;
  readonly deployMs: number;
  /** Changes of owner. */
  readonly moves: number;
}

export interface Books {
  readonly source: string;
  readonly producer: Producer;
  readonly sink: Sink;
  readonly board: Board;
  readonly times: Times;
}

/** The aggregates of what was put, computed without any worker. */
function inputTotals(producer: Producer): ReadonlyMap<string, Total> {
  const totals = new Map<string, Total>();
  for (let number = 0; number < producer.put; number++) addTo(totals, producer.record(number));
  return totals;
}

/** Balances the books. */
export function closeBooks({ producer, sink, board, times }: Books): DemoResult {
  const lost = producer.put - sink.records;
  const refusedWrites = sink.refusedWrites + board.refusedCheckpoints;
  return {
    ok: lost === 0 && refusedWrites > 0 && sameTotals(inputTotals(producer), sink.totals),
    records: producer.put,
    lost,
    duplicates: sink.duplicates,
    refusedWrites,
    ...times,
    moves: board.moves,
  };
}

/** The books for people. */
export function ledgerText(books: Books, result: DemoResult): string {
  const { source, sink, board, producer } = books;
  const input = inputTotals(producer);
  const busiest = [...sink.totals].sort(([, a], [, b]) => b.flights - a.flights).slice(0, 5);
  return [
    "",
    `Ledger (${source})`,
    ...table(
      ["", "", ""],
      [
        ["records put", String(result.records), ""],
        ["processed", String(sink.records), ""],
        ["lost", String(result.lost), "must be 0"],
        ["processed twice", String(result.duplicates), "redelivered to the next owner; counted once"],
        ["late writes refused", String(sink.refusedWrites), "by the sink, for a smaller fencing token"],
        ["late checkpoints refused", String(board.refusedCheckpoints), "by fence or epoch"],
        ["changes of owner", String(result.moves), ""],
        ["start to first record", seconds(result.startMs), ""],
        [
          "SIGKILL to all read elsewhere",
          seconds(result.failoverMs),
          "nobody told the fleet: silence had to prove it",
        ],
        ["SIGTERM to all read elsewhere", seconds(result.deployMs), "handed over"],
        [
          "aggregates",
          sameTotals(input, sink.totals) ? "equal" : "DIFFERENT",
          `${String(input.size)} airports, against the input's own`,
        ],
      ],
    ).slice(1),
    "",
    ...table(
      ["ORIGIN", "FLIGHTS", "DELAY MIN", "MILES"],
      busiest.map(([origin, { flights, delay, distance }]) => [origin, flights, delay, distance]),
    ),
    "",
    result.ok ? "ok: nothing was lost" : "NOT ok",
  ].join("\n");
}
