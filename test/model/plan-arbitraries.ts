import fc from "fast-check";
import type { PlanLease, PlanSnapshot, PlanWorker } from "../../src/model/plan-snapshot.js";
import { aLease, aWorker, config, keyOf, workerIds } from "./plan-fleet.js";

export interface FleetBounds {
  readonly maxLeases: number;
  readonly maxWorkers: number;
  /** Whether some workers have a `maxLeases`, some leases are unfit for some, and some workers are blind or leave. */
  readonly caps: boolean;
  /** Whether leases may be finished, waiting, free or in flight. Default true. */
  readonly odd?: boolean;
}

const anyWeight = fc.oneof(
  fc.constant(undefined),
  fc.constant(0),
  fc.integer({ min: 1, max: 1_000 }),
  fc.double({ min: 0, max: 1e6, noNaN: true }),
);

/** A fleet in any state that rows can show. */
export function anyFleet(bounds: FleetBounds): fc.Arbitrary<PlanSnapshot> {
  const { maxLeases, maxWorkers, caps, odd = true } = bounds;
  return fc
    .tuple(fc.integer({ min: 1, max: maxLeases }), fc.integer({ min: 1, max: maxWorkers }), fc.boolean())
    .chain(([leaseCount, workerCount, weighed]) => {
      const ids = workerIds(workerCount);
      const workers = fc.tuple(
        ...ids.map((id) =>
          fc
            .record({
              live: odd ? often : fc.constant(true),
              draining: caps ? seldom : fc.constant(false),
              blind: caps ? seldom : fc.constant(false),
              joining: fc.boolean(),
              maxLeases: caps ? fc.option(fc.nat(leaseCount), { nil: undefined }) : fc.constant(undefined),
              unfit: caps
                ? fc.array(fc.nat(leaseCount - 1).map(keyOf), { maxLength: 2 })
                : fc.constant<string[]>([]),
            })
            .map(({ maxLeases: cap, ...rest }): PlanWorker =>
              aWorker(id, { ...rest, ...(cap === undefined ? {} : { maxLeases: cap }) }),
            ),
        ),
      );
      const leases = fc.tuple(
        ...Array.from({ length: leaseCount }, (_, i) =>
          fc
            .record({
              owner: fc.nat(workerCount - 1),
              weight: weighed ? anyWeight : fc.constant(undefined),
              finished: odd ? seldom : fc.constant(false),
              waiting: odd ? seldom : fc.constant(false),
              free: odd ? fc.boolean() : fc.constant(false),
              target: odd
                ? fc.option(fc.nat(workerCount - 1), { nil: undefined, freq: 8 })
                : fc.constant(undefined),
            })
            .map(({ owner, target, ...rest }): PlanLease =>
              aLease(keyOf(i), ids[owner], {
                ...rest,
                ...(target === undefined || target === owner ? {} : { inFlightTo: ids[target] ?? "" }),
              }),
            ),
        ),
      );
      return fc
        .record({ workers, leases })
        .map((rows): PlanSnapshot => ({ nowMs: 1_000_000, config, ...rows }));
    });
}

const seldom = fc.nat(9).map((n) => n === 0);
const often = fc.nat(9).map((n) => n !== 0);

export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
