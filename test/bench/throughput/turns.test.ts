import { expect } from "chai";
import { bench } from "./bench.js";

interface Failure {
  readonly subject: string;
  readonly round: number;
  readonly isLoss: boolean;
  readonly error: string;
}

const { LostRecords } = (await bench("run.mjs")) as { LostRecords: new (message: string) => Error };
const { takeTurns } = (await bench("turns.mjs")) as {
  takeTurns(
    subjects: string[],
    runs: number,
    run: (subject: string) => Promise<object>,
    say: (text: string) => void,
  ): Promise<{ readonly rounds: Record<string, object>[]; readonly failures: Failure[] }>;
};

const result = { recordsPerCpuSecond: 1, recordsPerSecond: 1, residentBytes: 1, serverShare: 0 };

/** What comes of two subjects in three rounds, of which the second fails in those of its runs, and who ran. */
async function turns(fails: (run: number) => Error | undefined): Promise<{
  readonly ran: string;
  readonly said: string[];
  readonly rounds: string[];
  readonly failures: Failure[];
}> {
  const ran: string[] = [];
  const said: string[] = [];
  const run = (subject: string): Promise<object> => {
    ran.push(subject);
    const error = subject === "b" ? fails(ran.filter((name) => name === "b").length) : undefined;
    return error === undefined ? Promise.resolve(result) : Promise.reject(error);
  };
  const { rounds, failures } = await takeTurns(["a", "b"], 3, run, (text) => said.push(text));
  const came = rounds.map((round) =>
    Object.keys(round)
      .filter((name) => round[name] !== undefined)
      .join(""),
  );
  return { ran: ran.join(""), said, rounds: came, failures };
}

describe("the throughput bench's turns", () => {
  it("are taken round by round", async () => {
    const { ran, rounds, failures } = await turns(() => undefined);
    expect(ran).to.equal("ababab");
    expect(rounds).to.deep.equal(["ab", "ab", "ab"]);
    expect(failures).to.deep.equal([]);
  });

  it("make a run that failed once more, and tell it", async () => {
    const { ran, rounds, said, failures } = await turns((run) => (run === 2 ? new Error("slow") : undefined));
    expect(ran).to.equal("ababbab");
    expect(rounds).to.deep.equal(["ab", "ab", "ab"]);
    expect(failures).to.deep.equal([{ subject: "b", round: 2, isLoss: false, error: "slow" }]);
    expect(said[3]).to.equal("b 2/3 FAILED: slow");
    expect(said[4]).to.match(/^b 2\/3, made again: /);
  });

  it("give up a subject that failed twice in a round, keep what it had, and go on with the others", async () => {
    const { ran, rounds, failures } = await turns((run) => (run > 1 ? new Error("slow") : undefined));
    expect(ran).to.equal("ababba");
    expect(rounds).to.deep.equal(["ab", "a", "a"]);
    expect(failures.map(({ round }) => round)).to.deep.equal([2, 2]);
  });

  it("give up at once a subject that has lost records", async () => {
    const { ran, failures } = await turns(() => new LostRecords("a gap"));
    expect(ran).to.equal("abaa");
    expect(failures).to.deep.equal([{ subject: "b", round: 1, isLoss: true, error: "a gap" }]);
  });
});
