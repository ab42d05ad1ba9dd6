import { spawn } from "node:child_process";
import { getPriority, setPriority } from "node:os";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");

/**
 * Runs a command at the root of the project; what it prints is shown as it comes, if at all, and returned at the end.
 * `code` is 1 when it could not start or was killed.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [how]
 * @param {boolean} [how.isShown] if not, what it prints, on stderr too, is returned only
 * @param {number} [how.niceness] how far we and others go before it
 * @param {Readonly<Record<string, string>>} [how.env] on top of ours
 */
export async function run(command, args, { isShown = true, niceness = 0, env: more = {} } = {}) {
  // Tools of node_modules/.bin are found also when npm did not start us.
  const bin = path.join(root, "node_modules/.bin");
  const given = { ...process.env, ...more };
  const env = { ...given, PATH: `${bin}${path.delimiter}${given.PATH ?? ""}` };
  const child = spawn(command, args, {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", isShown ? "inherit" : "pipe"],
  });
  if (niceness > 0 && child.pid !== undefined) setPriority(child.pid, Math.min(19, getPriority() + niceness));
  const chunks = [];
  child.stdout.on("data", (chunk) => {
    chunks.push(chunk);
    if (isShown) process.stdout.write(chunk);
  });
  child.stderr?.on("data", (chunk) => chunks.push(chunk));
  return await new Promise((resolve) => {
    const end = (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") });
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      end(1);
    });
    child.on("close", end);
  });
}
