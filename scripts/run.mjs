import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");
/** For what only computes, beside what must answer in time. */
const background = 10;

/**
 * Runs a command at the root of the project; what it prints is shown as it comes and returned at the end.
 * `code` is 1 when it could not start or was killed.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [how]
 * @param {boolean} [how.inBackground] at a lower priority, and what it prints, on stderr too, is returned only
 */
export async function run(command, args, { inBackground = false } = {}) {
  // Tools of node_modules/.bin are found also when npm did not start us.
  const bin = path.join(root, "node_modules/.bin");
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ""}` };
  const child = spawn(command, args, {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", inBackground ? "pipe" : "inherit"],
  });
  if (inBackground && child.pid !== undefined) setPriority(child.pid, background);
  const chunks = [];
  child.stdout.on("data", (chunk) => {
    chunks.push(chunk);
    if (!inBackground) process.stdout.write(chunk);
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
