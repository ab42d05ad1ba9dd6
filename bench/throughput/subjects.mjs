// Who is measured. Each is a process of its own, given the same of Node and the same of the stream.
import path from "node:path";
import { startDynalite } from "../../dist/embedded/dynalite.js";
import { subjectNames } from "./cells.mjs";
import { LeaseTable } from "./lease-table.mjs";
import { KclTables } from "./kcl-tables.mjs";
import { fetchKcl } from "./subjects/kcl/fetch.mjs";
import { failoverMs, heapPercent } from "./subjects/kcl/options.mjs";

const application = "bench";
const folder = path.join(import.meta.dirname, "subjects");
/** Until it reads. What Node and the JVM compile on the way is compiled after the warm-up; the JVM takes longer. */
const onNode = { startMs: 1_500, warmUpMs: 3_000 };
const onJava = { startMs: 8_000, warmUpMs: 15_000 };

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
    ...onNode,
    leases: onDynalite,
  };
}

const bareSdk = {
  name: "bareSdk",
  command: process.execPath,
  args: [path.join(folder, "bare-sdk.mjs")],
  ...onNode,
  leases: async () => ({ application, end: async () => {} }),
};

/** @throws Error where Java or the KCL's jars are not to be had */
async function kcl() {
  const classPath = fetchKcl();
  const tables = await KclTables.start();
  return {
    name: "kcl",
    command: "java",
    // It tells its whole course as information: writing that is no part of the work.
    args: ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classPath, "KclSubject"],
    env: (cell) => ({
      BENCH_FAILOVER_MS: String(failoverMs(cell)),
      JDK_JAVA_OPTIONS: `-XX:MaxRAMPercentage=${heapPercent(cell)}`,
    }),
    ...onJava,
    leases: (cell) => tables.of(cell),
    close: () => tables.stop(),
  };
}

const makers = {
  bareSdk: () => bareSdk,
  leasehold: () => leasehold("leasehold"),
  leaseholdZeroCopy: () => leasehold("leaseholdZeroCopy", { source: { zeroCopy: true } }),
  kcl,
};

/** Those that are wanted; what cannot be had, as the KCL where there is no Java, is `missing`, as one that failed. */
export async function subjectsOf(wanted) {
  const subjects = [];
  const missing = [];
  for (const name of subjectNames.filter((name) => wanted.includes(name))) {
    try {
      subjects.push(await makers[name]());
    } catch (error) {
      missing.push({ subject: name, round: 0, isLoss: false, error: error.message });
    }
  }
  return { subjects, missing };
}
