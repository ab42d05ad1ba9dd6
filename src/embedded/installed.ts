import { createRequire } from "node:module";

const modules = { dynalite: "dynalite", "kinesis-local": "kinesis-local/main.js" } as const;

/** A package whose emulator can be started: optional peers of this one. */
export type Emulator = keyof typeof modules;

const resolveHere = (module: string): string => createRequire(import.meta.url).resolve(module);

/** Where the module of an installed emulator stands. */
export function emulatorModule(emulator: Emulator): string {
  return resolveHere(modules[emulator]);
}

/**
 * Looks for them all, so that somebody who has none of them is told once.
 * @throws Error with what to install
 */
export function checkEmulators(emulators: readonly Emulator[], resolve = resolveHere): void {
  const missing = emulators.filter((emulator) => {
    try {
      resolve(modules[emulator]);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return;
  throw new Error(
    `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not installed: run \`npm install ${missing.join(" ")}\``,
  );
}
