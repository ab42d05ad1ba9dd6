/** Exit statuses: all went well, it failed, it was called wrongly. */
export const exitStatus = { ok: 0, failure: 1, usage: 2 } as const;

/** A command line that cannot be obeyed: its message names the option, the value and the remedy. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** A failure whose code is not one of the library's own. */
export class CommandError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "CommandError";
    this.code = code;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Writes to a stream and resolves when it has been handed to the operating system, or its reader has gone. */
export function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, () => {
      resolve();
    });
  });
}

/** The one object of `--json`, as stdout's last line. */
export function writeJson(value: unknown): Promise<void> {
  return write(process.stdout, `${JSON.stringify(value)}\n`);
}

/** A table for people: columns as wide as their widest cell, numbers to the right. */
export function table(
  headers: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly string[] {
  const cells = [headers, ...rows].map((row) => row.map(String));
  // Looked through, and not called for with each as an argument: a call takes about a hundred thousand of those.
  const widths = headers.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, (row[column] ?? "").length), 0),
  );
  const rightAligned = headers.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === "number"),
  );
  return cells.map((row) =>
    row
      .map((cell, column) =>
        rightAligned[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
