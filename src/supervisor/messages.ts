/**
 * What a child and its parent say to each other over their channel. Every message carries `leasehold`, so that whatever
 * else a program sends over the same channel is left alone.
 */
export type ChildMessage =
  /** "I am about to create the row of this worker": it waits for the answer before it does. */
  | { readonly leasehold: "announce"; readonly workerId: string }
  /** "This worker has left by itself": its row is fenced already. */
  | { readonly leasehold: "left"; readonly workerId: string }
  /** "I cannot start, and no restart will change that." */
  | { readonly leasehold: "fatal"; readonly code: string; readonly message: string };

export interface ParentMessage {
  readonly leasehold: "acknowledged";
  readonly workerId: string;
}

/** Exit status of a child that no restart would help: EX_CONFIG of sysexits.h. */
export const fatalExitCode = 78;

/** A message as it came over the channel; undefined when it is somebody else's. */
export function childMessage(value: unknown): ChildMessage | undefined {
  const fields = fieldsOf(value);
  if (fields === undefined) return undefined;
  const { leasehold, workerId, code, message } = fields;
  if ((leasehold === "announce" || leasehold === "left") && isName(workerId)) return { leasehold, workerId };
  if (leasehold === "fatal" && typeof code === "string" && typeof message === "string") {
    return { leasehold, code, message };
  }
  return undefined;
}

export function parentMessage(value: unknown): ParentMessage | undefined {
  const fields = fieldsOf(value);
  if (fields?.leasehold !== "acknowledged" || !isName(fields.workerId)) return undefined;
  return { leasehold: "acknowledged", workerId: fields.workerId };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
