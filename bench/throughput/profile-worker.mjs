// A profile of Leasehold's process over one window.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CannedServer } from "./canned-server.mjs";
import { cells, headline } from "./cells.mjs";
import { runOnce } from "./run.mjs";
import { leasehold } from "./subjects.mjs";

/** @returns the path of the `.cpuprofile`, in a folder of its own */
export async function profileWorker({ windowMs, say }) {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "leasehold-profile-")), "leasehold.cpuprofile");
  const cell = cells.find(({ name }) => name === headline);
  const server = await CannedServer.start(cell);
  try {
    const { recordsPerCpuSecond } = await runOnce(
      leasehold("leasehold", { profile: file }),
      cell,
      server,
      windowMs,
    );
    say(`${recordsPerCpuSecond} records a CPU second while it was profiled; the profile is ${file}`);
  } finally {
    await server.stop();
  }
  return file;
}
