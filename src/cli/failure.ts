import { LeaseholdError } from "../index.js";
import { CommandError, exitStatus, messageOf } from "./output.js";

export interface FailureReport {
  readonly code: string;
  readonly message: string;
  readonly exit: number;
}

/** What to say of something thrown, and with which status to end. */
export function failureOf(error: unknown): FailureReport {
  if (error instanceof LeaseholdError) {
    // An option that the library refuses came from the command line.
    const isUsage = error.code === "invalid-option" || error.code === "invalid-application";
    return {
      code: error.code,
      message: error.message,
      exit: isUsage ? exitStatus.usage : exitStatus.failure,
    };
  }
  if (error instanceof CommandError) {
    return { code: error.code, message: error.message, exit: exitStatus.failure };
  }
  return { code: "failed", message: messageOf(error), exit: exitStatus.failure };
}
