import { openHistory, type HistoryAnswer, type HistoryVerdict } from "../index.js";
import { table, write } from "./output.js";

export interface HistoryRequest {
  readonly application: string;
  readonly lease?: string;
  readonly worker?: string;
  readonly at?: Date;
  readonly since?: Date;
}

/** A whole history is read page by page; who waits is told on stderr. */
function onProgress(entries: number): void {
  void write(process.stderr, `leasehold: ${String(entries)} history entries read so far\n`);
}

export async function askHistory(request: HistoryRequest): Promise<HistoryAnswer> {
  const history = openHistory({ application: request.application });
  try {
    return await history.ask({ ...request, onProgress });
  } finally {
    history.close();
  }
}

export async function verifyHistory({ application, lease }: HistoryRequest): Promise<HistoryVerdict> {
  const history = openHistory({ application });
  try {
    return await history.verify({ ...(lease === undefined ? {} : { lease }), onProgress });
  } finally {
    history.close();
  }
}

/** The same for people. */
export function historyText({ application, tenures, actions }: HistoryAnswer): string {
  const lines = [
    `application ${application}; times are the wall clocks of the workers that wrote them`,
    "",
    ...(tenures.length === 0 ? ["nothing in the history is so"] : tenureTable(tenures)),
    ...actions.flatMap(({ worker, by, at }) => ["", `${by} fenced ${worker} at ${at}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function tenureTable(tenures: HistoryAnswer["tenures"]): readonly string[] {
  return table(
    ["LEASE", "EPOCH", "WORKER", "FROM", "UNTIL", "BEGAN", "ENDED"],
    tenures.map((tenure) => [
      tenure.leaseKey,
      tenure.epoch,
      tenure.worker ?? "-",
      tenure.since,
      tenure.until ?? "-",
      how(tenure.reason, tenure.cause),
      tenure.endedBy === undefined ? "-" : how(tenure.endedBy, tenure.endCause),
    ]),
  );
}

export function verdictText({ application, leases, epochs, problems }: HistoryVerdict): string {
  const seen = `${String(epochs)} epochs of ${String(leases)} leases`;
  if (problems.length === 0)
    return `application ${application}: the history is whole: ${seen}, nothing missing\n`;
  const lines = [
    `application ${application}: the history is not whole: ${String(problems.length)} problems in ${seen}`,
    "",
    ...table(
      ["LEASE", "PROBLEM", "WHAT"],
      problems.map(({ leaseKey, kind, text }) => [leaseKey, kind, text]),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function how(reason: string, cause: string | undefined): string {
  return cause === undefined ? reason : `${reason} (${cause})`;
}
