// Processes that are not our own children, as the operating system shows them.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** Linux shows them as files: a program started for each look would hold up the proxies, which are in this process. */
const hasProc = existsSync("/proc/self/cmdline");

/** Whether the pid is (still) a living process of this run: every one of them has the run's folder in its command line. */
export function isOurs(pid, folder) {
  // A dead one whose parent has not looked yet has no command line any more.
  return commandOf(pid).includes(folder);
}

function commandOf(pid) {
  if (!hasProc) return spawnSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" }).stdout;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return "";
    throw error;
  }
}

/** Sends a signal; false when there is no such process any more. */
export function signal(pid, name) {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (error.code === "ESRCH") return false;
    throw error;
  }
}
