// Who is measured. Each is a process of its own, given the same of Node and the same of the stream.
import path from "node:path";
import { startDynalite } from "../../dist/embedded/dynalite.js";
import { subjectNames } from "./cells.mjs";
import { LeaseTable } from "./lease-table.mjs";
import { KclTables } from "./kcl-tables.mjs";
import { fetchKcl } from "./subjects/kcl/fetch.mjs";

const application = "bench";
const folder = path.join(import.meta.dirname, "subjects");
/** What Node and the JVM compile on the way is compiled by then; the JVM takes longer. */
const nodeWarmUpMs = 3_000;
const javaWarmUpMs = 15_000;

/** Leases on a dynalite of the run's own. */
async function onDynalite() {
  const { endpoint, stop } = await startDynalite();
  const table = new LeaseTable(endpoint, application);
  return {
    application,
    endpoint,
    checkpoints: () => table.checkpoints(),
    end: async () => {
      table.close();
      await stop();
    },
  };
}

/** A worker of Leasehold's, with more options of its source and its own. */
export function leasehold(name, { source = {}, worker = {}, pauseMs = 0, processes = 1, profile } = {}) {
  const options = ["--source", JSON.stringify(source), "--worker", JSON.stringify(worker)];
  const args = [...options, "--pause-ms", String(pauseMs)];
  return {
    name,
    processes,
    command: process.execPath,
    args: [
      path.join(folder, "leasehold.mjs"),
      ...args,
      ...(profile === undefined ? [] : ["--profile", profile]),
    ],
    warmUpMs: nodeWarmUpMs,
    leases: onDynalite,
  };
}

const bareSdk = {
  name: "bareSdk",
  command: process.execPath,
  args: [path.join(folder, "bare-sdk.mjs")],
  warmUpMs: nodeWarmUpMs,
  leases: async () => ({ application, end: async () => {} }),
};

/** Undefined where Java or the KCL's jars are not to be had; stderr says why. */
async function kcl() {
  try {
    const classPath = fetchKcl();
    const tables = await KclTables.start();
    return {
      name: "kcl",
      command: "java",
      // It tells its whole course as information: writing that is no part of the work.
      args: ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classPath, "KclSubject"],
      warmUpMs: javaWarmUpMs,
      leases: (cell) => tables.of(cell),
      close: () => tables.stop(),
    };
  } catch (error) {
    console.error(`the Java KCL is not measured: ${error.message}`);
    return undefined;
  }
}

const makers = {
  bareSdk: () => bareSdk,
  leasehold: () => leasehold("leasehold"),
  leaseholdZeroCopy: () => leasehold("leaseholdZeroCopy", { source: { zeroCopy: true } }),
  kcl,
};

/** Those that are wanted; without the KCL where it cannot be had. */
export async function subjectsOf(wanted) {
  const subjects = [];
  for (const name of subjectNames) if (wanted.includes(name)) subjects.push(await makers[name]());
  return subjects.filter((subject) => subject !== undefined);
}
