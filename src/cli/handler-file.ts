import { statSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { LeaseholdError, type Logger, type Processor } from "../index.js";
import { messageOf } from "./output.js";

/** What a handler file's function is given. */
export interface HandlerContext {
  readonly application: string;
  /** The present worker's id; until the worker has joined the fleet, its label. It changes when the worker rejoins. */
  readonly workerId: string;
  readonly logger: Logger;
}

/** Makes the processor of a handler file. */
export type Handler = (context: HandlerContext) => Promise<Processor>;

const shape =
  "it must be a processor (an object with a process(batch, lease) method) or a function that takes { application, workerId, logger } and returns one";

/**
 * Checks that a handler file is there, without running it.
 * @throws LeaseholdError `handler-invalid`
 */
export function checkHandlerFile(file: string): string {
  const absolute = path.resolve(file);
  let isFile: boolean;
  try {
    isFile = statSync(absolute).isFile();
  } catch (error) {
    throw invalid(`--handler ${file} cannot be read (${messageOf(error)}); give the path of an ES module`);
  }
  if (!isFile) throw invalid(`--handler ${file} is no file; give the path of an ES module`);
  return absolute;
}

/**
 * Loads a handler file.
 * @throws LeaseholdError `handler-invalid` when it does not load or has no usable default export
 */
export async function loadHandler(file: string): Promise<Handler> {
  const absolute = checkHandlerFile(file);
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(pathToFileURL(absolute).href)) as { readonly default?: unknown };
  } catch (error) {
    throw invalid(`--handler ${file} does not load: ${messageOf(error)}; correct it and start again`, error);
  }
  const exported = loaded.default;
  if (isProcessor(exported)) return () => Promise.resolve(exported);
  if (typeof exported !== "function") {
    const found =
      "default" in loaded ? `has a default export of type ${typeof exported}` : "has no default export";
    throw invalid(`--handler ${file} ${found}: ${shape}`);
  }
  return async (context) => {
    let made: unknown;
    try {
      made = await (exported as (context: HandlerContext) => unknown)(context);
    } catch (error) {
      throw invalid(`the default export of --handler ${file} threw: ${messageOf(error)}`, error);
    }
    if (!isProcessor(made)) {
      throw invalid(
        `the default export of --handler ${file} returned ${made === null ? "null" : typeof made}: ${shape}`,
      );
    }
    return made;
  };
}

function isProcessor(value: unknown): value is Processor {
  return (
    typeof value === "object" && value !== null && "process" in value && typeof value.process === "function"
  );
}

function invalid(message: string, cause?: unknown): LeaseholdError {
  return new LeaseholdError("handler-invalid", message, { cause });
}
