// A fleet of any size, as rows and as a plan sees them: every worker holds as much as the next, so that nothing is to be
// moved until something happens.

export const workerIdOf = (i) => `worker-${String(i).padStart(4, "0")}-00000000`;
/** As long as a shard's id, and as alike at its beginning. */
export const leaseKeyOf = (i) => `shardId-${String(i).padStart(12, "0")}`;

export const placeOf = (leaseKey) => Number(leaseKey.slice("shardId-".length));

/** KB a second. Leases differ, and what the workers hold does not. */
export const throughputOf = (i, workers) => 91 + 2 * (Math.floor(i / workers) % 10);

/** Numbers in [0, 1), the same in every run. */
export function* numbers() {
  for (let state = 1; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** In no order, as a scan of a table brings them. */
export function inNoOrder(items) {
  const mixed = [...items];
  const random = numbers();
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random.next().value * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}

/** What a plan sees of a worker that is well. */
export const planWorker = (workerId, more = {}) => ({
  workerId,
  live: true,
  draining: false,
  joining: false,
  blind: false,
  unfit: [],
  join: 1,
  ...more,
});

/** What a plan sees of the leases, dealt out to the workers in turn. */
export function planLeases(leases, workers) {
  return inNoOrder(
    Array.from({ length: leases }, (_, i) => ({
      leaseKey: leaseKeyOf(i),
      epoch: 10,
      weight: throughputOf(i, workers),
      finished: false,
      waiting: false,
      free: false,
      owner: workerIdOf(i % workers),
    })),
  );
}

/** A worker's row, as it stands in the fleet table. */
export const workerRow = (workerId, more = {}) => ({
  workerId,
  join: 1,
  maxConcurrentBatches: 64,
  readsFormat: 1,
  host: "bench",
  pid: 1,
  startedAt: "",
  draining: false,
  joining: false,
  blind: false,
  leases: 0,
  weight: 0,
  utilisation: 0,
  unfit: [],
  failing: [],
  beat: 1,
  mailbox: new Map(),
  ...more,
});

/** A lease's row under a worker of ours. */
export const leaseRow = (i, workers, owner) => ({
  leaseKey: leaseKeyOf(i),
  owner,
  epoch: 10,
  checkpoint: { sequenceNumber: "100", subSequenceNumber: 0 },
  ownerSwitchesSinceCheckpoint: 0,
  ownersWornOut: 0,
  parents: [],
  children: [],
  throughputKBps: throughputOf(i, workers),
  tenure: { epoch: 10, worker: owner, reason: "taken", since: "" },
  marked: false,
});

/** The row once its owner has written a checkpoint. */
export const worked = (row, round, throughputKBps) => ({
  ...row,
  checkpoint: { sequenceNumber: String(100 + round), subSequenceNumber: 0 },
  throughputKBps,
});

/** As a store makes one of what it has read. */
export const copiedRow = (row) => ({
  ...row,
  checkpoint: { ...row.checkpoint },
  parents: [...row.parents],
  children: [...row.children],
  tenure: { ...row.tenure },
});
