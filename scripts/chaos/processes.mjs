// Processes that are not our own children, as the operating system shows them.
import { spawnSync } from "node:child_process";

/** Whether the pid is (still) a living process of this run: every one of them has the run's folder in its command line. */
export function isOurs(pid, folder) {
  const { stdout } = spawnSync("ps", ["-o", "stat=,args=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.includes(folder) && !stdout.trim().startsWith("Z");
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
