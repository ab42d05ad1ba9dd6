import { createMemoryStore, MemoryTables, type MemorySnapshot } from "../store/memory/index.js";
import type { Call } from "../store/call.js";
import type { LeaseReader } from "../store/lease-reader.js";
import type { Store } from "../store/store.js";
import { SimulatedNetwork, type Access, type Conditions, type Link } from "./simulated-network.js";
import type { VirtualTime } from "./virtual-time.js";

/** One call that reached the store. */
export interface StoreTraffic {
  readonly worker: number;
  /** As the port names it, `membership.beat` say. */
  readonly operation: string;
  readonly access: Access;
  readonly args: readonly unknown[];
}

export interface SimulatedStoreOptions {
  readonly application?: string;
  readonly conditions?: Partial<Conditions>;
  /** The rows; by default new and empty. */
  readonly tables?: MemoryTables;
  /** The store behind the network; by default the memory store. For a broken one, to see that a check finds it. */
  readonly wrap?: (store: Store, rows: MemoryTables) => Store;
  /**
   * No read may be asked to be staler than this, ms: older rows are not kept, and keeping them costs. Default 30,000: then
   * a read that is asked for more sees the oldest that there are.
   */
  readonly oldestReadMs?: number | undefined;
  /** Told of every call as it leaves its worker, whatever becomes of it. */
  readonly onSent?: (call: Omit<StoreTraffic, "args">) => void;
  /** Told of every call as it is applied. */
  readonly onTraffic?: (traffic: StoreTraffic) => void;
}

interface Moment {
  /** Until when the rows stood like this, true ms. */
  readonly untilMs: number;
  readonly rows: MemorySnapshot;
}

/** No read is staler than this, whatever a fault says: older snapshots are not kept. */
const oldestReadEverMs = 30_000;

/**
 * One store for a whole simulated fleet: the memory store behind a network of links, one for each worker. Each call has
 * its whole effect at the instant of its arrival; what the network does to it is drawn from the link's seed.
 */
export class SimulatedStore {
  readonly network: SimulatedNetwork;
  readonly rows: MemoryTables;
  readonly #time: VirtualTime;
  readonly #options: SimulatedStoreOptions;
  readonly #moments: Moment[] = [];
  readonly #store: Store;
  /** Set while a read is applied: how old the rows are that it may see. */
  #staleMs = 0;

  constructor(time: VirtualTime, options: SimulatedStoreOptions = {}) {
    this.#time = time;
    this.#options = options;
    this.network = new SimulatedNetwork(time, options.conditions);
    this.rows = options.tables ?? new MemoryTables();
    const store = createMemoryStore({
      application: options.application ?? "simulated",
      tables: this.rows,
      staleRead: () => this.#staleRead(),
    });
    this.#store = options.wrap?.(store, this.rows) ?? store;
  }

  /** The store as one worker reaches it. */
  connect(link: Link): Store {
    const store = throughNetwork(this.#store, (operation, access, call, args, apply) => {
      this.#options.onSent?.({ worker: link.worker, operation, access });
      return this.network.call(link, operation, access, call?.signal, (staleMs) => {
        this.#options.onTraffic?.({ worker: link.worker, operation, access, args });
        this.#checkAge(staleMs);
        if (access === "write") this.#remember();
        // The memory store asks for a stale view within the call, before anything else can run.
        this.#staleMs = staleMs;
        try {
          return apply();
        } finally {
          this.#staleMs = 0;
        }
      });
    });
    return { ...store, leases: inPages(store.leases) };
  }

  /** Thrown out of the run, not into the worker that asks: the simulation itself is wrong. */
  #checkAge(staleMs: number): void {
    const { oldestReadMs } = this.#options;
    if (oldestReadMs === undefined || staleMs <= oldestReadMs) return;
    throw new RangeError(
      `a read of ${String(staleMs)} ms ago, but oldestReadMs is ${String(oldestReadMs)}: older rows are not kept`,
    );
  }

  get #oldestReadMs(): number {
    return this.#options.oldestReadMs ?? oldestReadEverMs;
  }

  #remember(): void {
    const oldestReadMs = this.#oldestReadMs;
    if (oldestReadMs === 0) return;
    const now = this.#time.nowMs;
    this.#moments.push({ untilMs: now, rows: this.rows.snapshot() });
    while ((this.#moments[0]?.untilMs ?? now) < now - oldestReadMs) this.#moments.shift();
  }

  #staleRead(): MemorySnapshot | undefined {
    if (this.#staleMs <= 0) return undefined;
    const asOf = this.#time.nowMs - this.#staleMs;
    // The first that stood beyond that instant. Moments are many, and what is asked for is mostly among the last.
    let rows: MemorySnapshot | undefined;
    for (let i = this.#moments.length - 1; i >= 0; i--) {
      const moment = this.#moments[i];
      if (moment === undefined || moment.untilMs <= asOf) break;
      rows = moment.rows;
    }
    return rows;
  }
}

/** A table of more rows than these comes in two pages. */
const pageLeases = 8;

/** A scan is no snapshot: its pages are read one after the other, and what moves meanwhile is seen twice or not at all. */
function inPages(leases: LeaseReader): LeaseReader {
  return {
    get: (leaseKey, call) => leases.get(leaseKey, call),
    keysOf: (owner, call) => leases.keysOf(owner, call),
    scan: async (call) => {
      const first = await leases.scan(call);
      const firstOfSecondPage = first.leases.map(({ leaseKey }) => leaseKey).sort()[pageLeases];
      if (firstOfSecondPage === undefined) return first;
      const second = await leases.scan(call);
      return {
        leases: [
          ...first.leases.filter(({ leaseKey }) => leaseKey < firstOfSecondPage),
          ...second.leases.filter(({ leaseKey }) => leaseKey >= firstOfSecondPage),
        ],
        invalid: second.invalid,
        kclRows: second.kclRows,
      };
    },
  };
}

type Send = <T>(
  operation: string,
  access: Access,
  call: Call | undefined,
  args: readonly unknown[],
  apply: () => Promise<T>,
) => Promise<T>;

/**
 * Puts something between every port of a store and its caller. The caller's signal does not reach the store: a request
 * that is under way cannot be called back.
 */
export function throughNetwork(store: Store, send: Send): Store {
  const { tables, leases, ownership, checkpoints, membership, plannerDesk, history } = store;
  return {
    tables: {
      prepare: (call) => send("tables.prepare", "write", call, [], () => tables.prepare()),
      verify: (call) => send("tables.verify", "read", call, [], () => tables.verify()),
      meta: (call) => send("tables.meta", "read", call, [], () => tables.meta()),
    },
    leases: {
      scan: (call) =>
        send("leases.scan", "read", call, [], () => leases.scan({ consistent: call.consistent })),
      get: (leaseKey, call) =>
        send("leases.get", "read", call, [leaseKey], () =>
          leases.get(leaseKey, { consistent: call.consistent }),
        ),
      keysOf: (owner, call) => send("leases.keysOf", "read", call, [owner], () => leases.keysOf(owner)),
    },
    ownership: {
      create: (lease, epoch, tenure, writeId, call) =>
        send("ownership.create", "write", call, [lease, epoch, tenure, writeId], () =>
          ownership.create(lease, epoch, tenure, writeId),
        ),
      change: (change, call) =>
        send("ownership.change", "write", call, [change], () => ownership.change(change)),
      remove: (leaseKey, epoch, call) =>
        send("ownership.remove", "write", call, [leaseKey, epoch], () => ownership.remove(leaseKey, epoch)),
    },
    checkpoints: {
      write: (write, call) =>
        send("checkpoints.write", "write", call, [write], () => checkpoints.write(write)),
    },
    membership: {
      readFleet: (call) =>
        send("membership.readFleet", "read", call, [], () =>
          membership.readFleet({ consistent: call.consistent }),
        ),
      readWorker: (workerId, call) =>
        send("membership.readWorker", "read", call, [workerId], () =>
          membership.readWorker(workerId, { consistent: call.consistent }),
        ),
      readPart: (workerIds, call) =>
        send("membership.readPart", "read", call, [workerIds], () => membership.readPart(workerIds)),
      join: (mode, format, call) =>
        send("membership.join", "write", call, [mode, format], () => membership.join(mode, format)),
      raiseFormat: (expect, call) =>
        send("membership.raiseFormat", "write", call, [expect], () => membership.raiseFormat(expect)),
      note: (kclNote, call) =>
        send("membership.note", "write", call, [kclNote], () => membership.note(kclNote)),
      create: (identity, status, call) =>
        send("membership.create", "write", call, [identity, status], () =>
          membership.create(identity, status),
        ),
      beat: (beat, call) => send("membership.beat", "write", call, [beat], () => membership.beat(beat)),
      fence: (workerId, by, beat, call) =>
        send("membership.fence", "write", call, [workerId, by, beat], () =>
          membership.fence(workerId, by, beat),
        ),
      leave: (workerId, call) =>
        send("membership.leave", "write", call, [workerId], () => membership.leave(workerId)),
      forceFence: (workerId, by, at, call) =>
        send("membership.forceFence", "write", call, [workerId, by, at], () =>
          membership.forceFence(workerId, by, at),
        ),
      fenceExited: (workerId, by, call) =>
        send("membership.fenceExited", "write", call, [workerId, by], () =>
          membership.fenceExited(workerId, by),
        ),
      createTombstone: (workerId, call) =>
        send("membership.createTombstone", "write", call, [workerId], () =>
          membership.createTombstone(workerId),
        ),
      post: (workerId, entries, call) =>
        send("membership.post", "write", call, [workerId, [...entries]], () =>
          membership.post(workerId, entries),
        ),
      nameObserver: (observer, mark, call) =>
        send("membership.nameObserver", "write", call, [observer, mark], () =>
          membership.nameObserver(observer, mark),
        ),
      assignObserver: (observer, observes, call) =>
        send("membership.assignObserver", "write", call, [observer, observes], () =>
          membership.assignObserver(observer, observes),
        ),
      remove: (workerId, call) =>
        send("membership.remove", "write", call, [workerId], () => membership.remove(workerId)),
    },
    plannerDesk: {
      claim: (owner, epoch, call) =>
        send("plannerDesk.claim", "write", call, [owner, epoch], () => plannerDesk.claim(owner, epoch)),
      countDeath: (call) => send("plannerDesk.countDeath", "write", call, [], () => plannerDesk.countDeath()),
    },
    history: {
      archive: (entry, expiresAt, call) =>
        send("history.archive", "write", call, [entry, expiresAt], () => history.archive(entry, expiresAt)),
      record: (action, expiresAt, call) =>
        send("history.record", "write", call, [action, expiresAt], () => history.record(action, expiresAt)),
      actions: (call) => send("history.actions", "read", call, [], () => history.actions()),
      list: (leaseKey, call) => send("history.list", "read", call, [leaseKey], () => history.list(leaseKey)),
      page: (from, call) => send("history.page", "read", call, [from], () => history.page(from)),
      highestEpoch: (leaseKey, call) =>
        send("history.highestEpoch", "read", call, [leaseKey], () => history.highestEpoch(leaseKey)),
      setAside: (leaseKey, epoch, expiresAt, call) =>
        send("history.setAside", "write", call, [leaseKey, epoch, expiresAt], () =>
          history.setAside(leaseKey, epoch, expiresAt),
        ),
    },
    close: () => undefined,
  };
}
