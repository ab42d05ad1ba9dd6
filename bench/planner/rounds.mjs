// One size and one case of the control loop, in a process of its own: one worker that ships, on the memory store and a
// virtual clock, in a fleet of rows. Prints one JSON object.
//
//   node bench/planner/rounds.mjs LEASES WORKERS CASE planner|worker
import { Fleet } from "../../dist/fleet/fleet.js";
import { resolveProtocol } from "../../dist/model/config.js";
import { assignObservers } from "../../dist/model/observers.js";
import { createMemoryStore, MemoryTables } from "../../dist/store/memory/index.js";
import { seededRandom } from "../../dist/testing/seeded-random.js";
import { VirtualTime } from "../../dist/testing/virtual-time.js";
import {
  copiedRow,
  inNoOrder,
  leaseRow,
  numbers,
  placeOf,
  throughputOf,
  workerIdOf,
  workerRow,
  worked,
} from "./rows.mjs";
import { checkpointRounds, measuredRounds } from "./sizes.mjs";
import { begin, mean, slowest, typical } from "./stopwatch.mjs";

const config = resolveProtocol();
const warmRounds = 40;

const [leases, workers] = process.argv.slice(2, 4).map(Number);
const [kind, role] = process.argv.slice(4);

const time = new VirtualTime();
const tables = new MemoryTables();
const events = new Map();

/** A host without records: a tenure that begins has nothing to do, and one that ends has nothing to drain. */
const host = {
  begin: () => undefined,
  drain: () => Promise.resolve("drained"),
  unfit: () => [],
  load: () => ({ utilisation: 0, failing: [] }),
};

/**
 * A scan brings rows that nobody has seen before, as one of a table does. Making them is the store's work, and what the
 * round cost is told without it.
 */
const stored = createMemoryStore({ application: "bench", tables });
const nothing = { cpuMs: 0, heldMs: 0, wallMs: 0 };
let copying = nothing;
const store = {
  ...stored,
  leases: {
    scan: async (call) => {
      const found = await stored.leases.scan(call);
      const stop = begin();
      const scan = { ...found, leases: found.leases.map(asCheckpointed) };
      const { cpuMs, heldMs, wallMs } = stop();
      copying = {
        cpuMs: copying.cpuMs + cpuMs,
        heldMs: copying.heldMs + heldMs,
        wallMs: copying.wallMs + wallMs,
      };
      return scan;
    },
    get: (...args) => stored.leases.get(...args),
    keysOf: (...args) => stored.leases.keysOf(...args),
  },
};

const fleet = new Fleet({
  store,
  clock: time.clock(),
  random: seededRandom("bench"),
  config,
  host,
  keeper: { discover: () => Promise.resolve(0), cleanUp: () => Promise.resolve() },
  emit: ({ type }) => events.set(type, (events.get(type) ?? 0) + 1),
  machine: { host: "bench", pid: 1 },
  label: "measured",
  deployment: undefined,
  announce: () => Promise.resolve(),
});

/** The others: rows that beat once a round, and do at once what their mail says. */
const others = Array.from({ length: workers - 1 }, (_, i) => workerIdOf(i));
const view = () => tables.view();

function fill() {
  const owners = [...others, undefined];
  for (const workerId of others) tables.setWorker(workerRow(workerId));
  const order = inNoOrder(Array.from({ length: leases }, (_, i) => i));
  for (const i of order) tables.setLease(leaseRow(i, workers, owners[i % workers] ?? others[0]));
}

/** The measured worker holds its share, and is the planner, or one other is. */
async function settle() {
  const { workerId, tenures } = fleet.current;
  const begun = [];
  for (let i = workers - 1; i < leases; i += workers) {
    const row = tables.setLease(leaseRow(i, workers, workerId));
    begun.push(tenures.lane(row.leaseKey).receive());
  }
  await time.runUntilSettled(Promise.all(begun), 60_000);
  const planner = role === "planner" ? workerId : others[0];
  tables.setPlanner({ owner: planner, epoch: 1, deaths: 0 });
  for (const { observer, marks } of assignObservers(view().fleet().workers)) {
    tables.setWorker({ ...view().worker(observer), observes: { plannerEpoch: 1, marks } });
  }
}

function handOver({ leaseKey, target }) {
  const row = view().lease(leaseKey);
  const tenure = { epoch: row.epoch + 1, worker: target, reason: "handoff", since: "" };
  tables.setLease({ ...row, owner: target, epoch: row.epoch + 1, tenure });
}

function othersDo() {
  for (const workerId of others) {
    const row = view().worker(workerId);
    if (row === undefined || row.fencedBy !== undefined) continue;
    for (const entry of row.mailbox.values()) if (entry.kind === "directive") handOver(entry);
    const { owner } = view().planner ?? {};
    const planner = owner === workerId ? { planner: { epoch: 1, tick: row.beat } } : {};
    tables.setWorker({ ...row, ...planner, beat: row.beat + 1, mailbox: new Map() });
  }
}

/**
 * Every lease is checkpointed in its turn, and with the checkpoint its row says anew what throughput it has. Kept beside
 * the rows until a scan reads them: a table of another process leaves no rows of before for this one to collect.
 */
const random = numbers();
const turns = new Uint32Array(leases);
const throughputs = Float64Array.from(turns, (_, i) => throughputOf(i, workers));
let turn = 0;
function checkpoint() {
  for (let i = turn++ % checkpointRounds; i < leases; i += checkpointRounds) {
    turns[i] = turn;
    throughputs[i] = throughputKBps(i);
  }
}

/** As a scan finds the row. */
function asCheckpointed(row) {
  const i = placeOf(row.leaseKey);
  return copiedRow(worked(row, turns[i], throughputs[i]));
}

/** Of no two checkpoints the same, nor far from another: at rest nothing is to be moved. */
const throughputKBps = (i) => throughputOf(i, workers) * (0.97 + 0.06 * random.next().value);

/** What a dead worker left and the measured one did not take within a round, the others take. */
function othersAdopt(dead) {
  let next = 0;
  for (const leaseKey of view().keysOf(dead))
    handOver({ leaseKey, target: others[next++ % (others.length - 1)] });
}

function happens() {
  if (kind === "join") {
    const workerId = workerIdOf(workers);
    others.push(workerId);
    tables.setWorker(workerRow(workerId, { joining: true }));
    return;
  }
  if (kind === "death") {
    const dead = others.at(-1);
    tables.setWorker({ ...view().worker(dead), fencedBy: others[0], fenceKind: "observer" });
    tables.setPlanner({ ...view().planner, deaths: view().planner.deaths + 1 });
  }
}

/** @returns what the round and all that followed from it cost; a beat of the worker's own is among it now and then */
async function round() {
  checkpoint();
  copying = nothing;
  const stop = begin();
  await time.advance(config.pollIntervalMs);
  const { cpuMs, heldMs, wallMs } = stop();
  return {
    cpuMs: cpuMs - copying.cpuMs,
    heldMs: heldMs - copying.heldMs,
    wallMs: wallMs - copying.wallMs,
  };
}

fill();
await time.runUntilSettled(fleet.start(), 120_000);
await time.advance(100);
await settle();
for (let i = 0; i < warmRounds; i++) {
  othersDo();
  await round();
}
events.clear();
happens();
const spent = [];
for (let i = 0; i < measuredRounds; i++) {
  spent.push(await round());
  if (kind === "death" && i === 1) othersAdopt(others.at(-1));
  othersDo();
}
const { isPlanner } = fleet.current;
if (isPlanner !== (role === "planner"))
  throw new Error(`the measured worker ${isPlanner ? "is" : "is not"} the planner`);
if (kind === "join" && role === "planner" && !events.has("directive-posted"))
  throw new Error("nobody was filled");
if (kind === "death" && !events.has("orphans-seen")) throw new Error("nobody was missed");
if (kind === "steady" && events.has("directive-posted")) throw new Error("a fleet at rest was moved");
const { cpuMs, wallMs } = typical(spent);
const most = slowest(spent);
console.log(
  JSON.stringify({
    roundMs: cpuMs,
    roundWallMs: wallMs,
    meanRoundMs: mean(spent),
    slowestRoundMs: most.cpuMs,
    slowestRoundHeldMs: most.heldMs,
  }),
);
process.exit(0);
