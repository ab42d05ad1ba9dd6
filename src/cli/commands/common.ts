import { UsageError } from "../output.js";

/** What every command takes. */
export interface CommonFlags {
  readonly json?: boolean;
}

/** What the help of every command that reaches AWS ends with. */
export const environmentHelp = `
Endpoints and credentials come from the AWS SDK's usual environment and files:
AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_KINESIS, ~/.aws/config.
Exit status: 0 done, 1 failed, 2 called wrongly.`;

export const jsonText = "print one JSON object as the last line of stdout; everything else goes to stderr";

/** Checked here, not by commander, which would speak of what is missing before it speaks of what is unknown. */
export function needed(option: string, value: string | undefined, example: string): string {
  if (value !== undefined) return value;
  throw new UsageError(`${option} is missing: give it, as in ${example}`);
}
