import { spawn } from "node:child_process";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");

/**
 * Runs a command at the root of the project; what it prints is shown as it comes and returned at the end.
 * `code` is 1 when it could not start or was killed.
 */
export async function run(command, args) {
  // Tools of node_modules/.bin are found also when npm did not start us.
  const bin = path.join(root, "node_modules/.bin");
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ""}` };
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
  const chunks = [];
  child.stdout.on("data", (chunk) => {
    chunks.push(chunk);
    process.stdout.write(chunk);
  });
  return await new Promise((resolve) => {
    const end = (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") });
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      end(1);
    });
    child.on("close", end);
  });
}
