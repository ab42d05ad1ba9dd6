import { drawOutage, worker, type Draw } from "./draw.js";
import { drawFault } from "./fault-recipes.js";

/** Whatever the dice say: an outage, and faults of more than one kind. */
export function drawAny(draw: Draw, count: number): void {
  drawOutage(draw);
  for (let i = 0; i < count; i++) drawFault(draw);
  while (count > 0 && draw.faults.every(({ kind }) => kind === "store-outage" || kind === "start")) {
    drawFault(draw);
  }
}

/** Leases change hands all the time while answers are lost: what is begun or given up twice shows here. */
export function drawRolling(draw: Draw): void {
  const { random, warmUpMs, healMs, faults } = draw;
  faults.push({
    kind: "store-lossy",
    atMs: warmUpMs,
    forMs: healMs - warmUpMs,
    lostRequests: random.between(0, 0.1),
    lostAnswers: random.between(0.1, 0.4),
    duplicates: random.between(0, 0.2),
    delayed: random.between(0, 0.15),
  });
  for (let atMs = warmUpMs; atMs < healMs; atMs += random.between(2_000, 8_000)) {
    const who = worker(draw);
    faults.push({ kind: random.chance(0.8) ? "stop" : "crash", worker: who, atMs });
    faults.push({ kind: "start", worker: who, atMs: Math.min(healMs, atMs + random.between(500, 6_000)) });
    if (!random.chance(0.3)) continue;
    const forMs = Math.min(healMs - atMs, random.between(500, 15_000));
    faults.push({ kind: "pause", worker: worker(draw), atMs, forMs });
  }
  // A start finds the slot taken while its last process is still stopping: whoever is missing by now starts for sure.
  for (let who = 0; who < draw.machines; who++) faults.push({ kind: "start", worker: who, atMs: healMs });
}

/**
 * A fleet of more than eight, in which a worker reads some rows only and looks at the target of a directive by itself.
 * Newcomers come again and again, so that everybody gives; the looks take long; beats fail meanwhile for about as long as
 * a belief lasts, so that what a directive was for ends, and begins anew, under the look; and givers are stopped in it.
 */
export function drawCrowded(draw: Draw): void {
  const { random, warmUpMs, healMs, machines, leaseDurationMs, faults } = draw;
  const cycleMs = 2.2 * leaseDurationMs;
  for (let atMs = warmUpMs; atMs + cycleMs < healMs; atMs += cycleMs) {
    const newcomer = worker(draw);
    faults.push({ kind: random.chance(0.7) ? "stop" : "exit", worker: newcomer, atMs });
    const joinsAtMs = atMs + random.between(2_000, 4_000);
    faults.push({ kind: "start", worker: newcomer, atMs: joinsAtMs });
    // Directives go out when the newcomer has been seen and the fleet has settled: about half a lease after its start.
    const givingAtMs = joinsAtMs + 0.45 * leaseDurationMs;
    for (let who = 0; who < machines; who++) {
      if (who === newcomer || random.chance(0.4)) continue;
      // A belief rests on the last beat before: it ends 0.9 leases later, and is fenced after 1.25.
      const forMs = random.between(0.75, 1.15) * leaseDurationMs;
      const beatsFailAtMs = givingAtMs + random.between(0, 0.3) * leaseDurationMs - 0.85 * leaseDurationMs;
      faults.push({
        kind: "store-outage",
        of: "writes",
        how: "refusing",
        worker: who,
        atMs: Math.max(warmUpMs, beatsFailAtMs),
        forMs,
      });
      const factor = random.between(40, 120);
      faults.push({
        kind: "store-slow",
        worker: who,
        atMs: givingAtMs,
        forMs: 0.5 * leaseDurationMs,
        factor,
      });
    }
    if (random.chance(0.6)) {
      const giver = worker(draw);
      const stopAtMs = givingAtMs + random.between(0, 0.4) * leaseDurationMs;
      faults.push({ kind: "stop", worker: giver, atMs: Math.min(healMs, stopAtMs) });
      faults.push({ kind: "start", worker: giver, atMs: Math.min(healMs, stopAtMs + 6_000) });
    }
  }
  for (let who = 0; who < machines; who++) faults.push({ kind: "start", worker: who, atMs: healMs });
}

/** A rolling deploy of all machines, one after another, the new process beside the old; some are rolled back half-way. */
export function drawDeploy(draw: Draw): void {
  const { random, warmUpMs, healMs, machines, faults } = draw;
  const isRolledBack = random.chance(0.4);
  const order = Array.from({ length: machines }, (_, who) => ({ who, to: "v2" }));
  const half = order.slice(0, Math.ceil(machines / 2));
  const steps = isRolledBack ? [...half, ...half.map(({ who }) => ({ who, to: "v1" }))] : order;
  const everyMs = (healMs - warmUpMs - 10_000) / steps.length;
  for (const [i, { who, to }] of steps.entries()) {
    const atMs = warmUpMs + (i + random.between(0, 0.3)) * everyMs;
    const forMs = random.between(2_000, 9_000);
    faults.push({ kind: "replace", worker: who, deployment: to, atMs, forMs });
  }
  if (random.chance(0.6)) drawOutage(draw);
  for (let i = 0; i < 2; i++) drawFault(draw);
}

/**
 * The tables are deleted under a fleet, and made again by whoever is started later: not before the last belief from
 * before is over, since nothing of it is left in rows that could keep anybody from a lease.
 */
export function drawDeleted(draw: Draw): void {
  const { random, healMs, machines, leaseDurationMs, faults } = draw;
  const atMs = healMs - 3 * leaseDurationMs;
  const before = { ...draw, healMs: atMs - 1_000 };
  drawAny(before, 3);
  faults.push({ kind: "tables-deleted", atMs });
  for (let who = 0; who < machines; who++) {
    faults.push({ kind: "start", worker: who, atMs: healMs - random.between(0, 0.8) * leaseDurationMs });
  }
}
