import type { Lease } from "../model/lease.js";
import { observerElapsedMs, type Reading } from "../model/reading.js";
import {
  describeRows,
  isTakenByStranger,
  movedRows,
  strangersRows,
  type StrangersRow,
  type StrangersRows,
} from "../model/strangers.js";
import type { LeaseScan } from "../store/lease-reader.js";
import { countDeath } from "./leaving.js";
import type { Member } from "./member.js";

/**
 * A Java KCL worker seen while this one runs. Each scan of the lease rows shows who wrote them: tenures whose rows a
 * stranger changed end, and what a stranger owns is left to it until its row has stood still, as at a start.
 */
export class Strangers {
  readonly #member: Member;
  #rows: StrangersRows;
  /** Rows that a stranger wrote while this worker ran, and when it was last seen to have. */
  #lively: ReadonlyMap<string, Reading> = new Map();
  /** Leases whose rows a stranger changed and that no worker has taken since. */
  #taken: ReadonlySet<string> = new Set();

  /** @param left what a Java KCL fleet left and what stood still at the start */
  constructor(member: Member, left: StrangersRows) {
    this.#member = member;
    this.#rows = left;
  }

  /** After each scan. */
  look(scan: LeaseScan): void {
    const { fleet, leases } = this.#member;
    const rows = strangersRows(scan, (workerId) => fleet.row(workerId));
    const moved = movedRows(this.#rows, rows);
    const taken = scan.leases.filter(isTakenByStranger);
    const news = moved.filter(({ leaseKey }) => !this.#lively.has(leaseKey));
    const isNews = news.length > 0 || taken.some(({ leaseKey }) => !this.#taken.has(leaseKey));
    this.#rows = rows;
    this.#taken = new Set(taken.map(({ leaseKey }) => leaseKey));
    this.#lively = this.#stillLively(moved);
    leases.leaveToStrangers(new Set(this.#lively.keys()));
    if (news.length > 0) this.#emitSeen(news);
    // With a fresh plan nobody else scans, and each has tenures of its own to end.
    if (isNews) this.#member.tasks.start("tell-strangers", () => countDeath(this.#member));
    for (const row of taken) this.#endTenure(row);
  }

  #stillLively(moved: readonly StrangersRow[]): ReadonlyMap<string, Reading> {
    const { clock, config } = this.#member.deps;
    const now = clock.now();
    const lively = new Map<string, Reading>();
    for (const [leaseKey, since] of this.#lively) {
      const isOver = observerElapsedMs(since, now) >= config.kclWatchMs;
      if (this.#rows.has(leaseKey) && !isOver) lively.set(leaseKey, since);
    }
    for (const { leaseKey } of moved) lively.set(leaseKey, now);
    return lively;
  }

  /** Once a row, not with every renewal of it. */
  #emitSeen(news: readonly StrangersRow[]): void {
    const { deps, workerId } = this.#member;
    deps.emit({ type: "kcl-seen", workerId, rows: news.length, which: describeRows(news) });
  }

  /** A checkpoint would be refused, but an idle partition makes none, and would be worked twice until it does. */
  #endTenure({ leaseKey, epoch, owner }: Lease): void {
    const { tenures, deps, workerId } = this.#member;
    const tenure = tenures.get(leaseKey);
    if (tenure === undefined || epoch < tenure.fencingToken) return;
    // A tenure begun from such a row, since it names this worker, is no stranger's.
    if (epoch === tenure.fencingToken && owner === workerId) return;
    deps.emit({ type: "lease-usurped", workerId, leaseKey, epoch: tenure.fencingToken, owner, to: epoch });
    tenure.end("foreign");
  }
}
