import type { Logger } from "../index.js";
import { wallTime } from "../runtime/clock.js";
import { systemClock } from "../runtime/system.js";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** What is logged about: fields, with an error's message in place of the error. */
type Fields = Readonly<Record<string, unknown>>;

export interface StderrLoggerOptions {
  readonly label: string;
  readonly level: LogLevel;
  /** One JSON object a line instead of a line for people. */
  readonly json: boolean;
  /** Where a finished line goes. Default: stderr. */
  readonly write?: (line: string) => void;
}

/** A logger of pino's shape on stderr: stdout belongs to the result. */
export function stderrLogger(options: StderrLoggerOptions): Logger {
  const threshold = logLevels.indexOf(options.level);
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const at = (level: LogLevel) => (fields: object, message?: string) => {
    if (logLevels.indexOf(level) < threshold) return;
    const time = wallTime(systemClock);
    const plain = plainFields(fields as Fields);
    const line = options.json
      ? JSON.stringify({ time, level, label: options.label, ...plain, msg: message })
      : `${time.slice(11, 23)} ${level.padEnd(5)} [${options.label}] ${[message, ...pairs(plain)].join(" ")}`;
    write(`${line}\n`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function plainFields(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? value.message : value]),
  );
}

function pairs(fields: Fields): readonly string[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${name}=${typeof value === "string" && !/\s/.test(value) ? value : JSON.stringify(value)}`,
    );
}
