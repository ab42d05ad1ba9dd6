import { instant, worker, type Draw } from "./draw.js";
import { drawFault } from "./fault-recipes.js";

/** What takes two faults that meet, or one at the right moment: the dice of the other themes bring it too seldom. */
export function drawRare(draw: Draw): void {
  const { machines } = draw;
  trimmedParents(draw);
  silentShard(draw);
  const recipes = [queuedAtItsEnd, unansweredInItsHurry, fencedInItsResumption, silentWithoutARow];
  // Machines of their own, as far as there are enough: they would hide each other's marks.
  const first = worker(draw);
  for (const [i, recipe] of recipes.entries()) recipe(draw, (first + i) % machines);
  deletedWhileLapsed(draw);
  draw.faults.push({ kind: "lease-row-deleted", atMs: instant(draw), pick: draw.random.next() });
  drawFault(draw);
}

/** Parents that are finished by the end, and go from the stream then. */
function trimmedParents(draw: Draw): void {
  const { random, warmUpMs, healMs, faults } = draw;
  for (let i = 0; i < 2; i++) {
    faults.push({ kind: "split", atMs: warmUpMs + random.between(0, 4_000), pick: random.next() });
  }
  faults.push({ kind: "trim", atMs: healMs - random.between(0, 4_000) });
}

/** Longer than any source may be silent. */
function silentShard(draw: Draw): void {
  const { random, warmUpMs, healMs, faults } = draw;
  const forMs = random.between(25_000, 40_000);
  const atMs = random.between(warmUpMs, healMs - forMs);
  faults.push({ kind: "shard-silent", atMs, forMs, pick: random.next() });
}

/** Its batches wait for one another's slots when its belief ends. */
function queuedAtItsEnd(draw: Draw, who: number): void {
  const { random, warmUpMs, healMs, leaseDurationMs, faults } = draw;
  const forMs = 2.5 * leaseDurationMs;
  const atMs = random.between(warmUpMs, healMs - forMs);
  const workMs = random.between(2_000, 6_000);
  faults.push({ kind: "slow-processor", worker: who, atMs, forMs, workMs, reports: false });
  const outage = { atMs: atMs + 0.5 * leaseDurationMs, forMs: random.between(1, 1.5) * leaseDurationMs };
  faults.push({ kind: "store-outage", of: "writes", how: "refusing", worker: who, ...outage });
}

/** What it gives up undrained has landed, and is others' before it hears of that. */
function unansweredInItsHurry(draw: Draw, who: number): void {
  const { random, warmUpMs, healMs, faults } = draw;
  const atMs = random.between(warmUpMs + 4_000, healMs - 7_000);
  const hurryMs = random.between(500, 1_500);
  const workMs = random.between(6_000, 12_000);
  faults.push({
    kind: "slow-processor",
    worker: who,
    atMs: atMs - 4_000,
    forMs: 7_000,
    workMs,
    reports: false,
  });
  faults.push({ kind: "second-stop", worker: who, atMs, forMs: hurryMs });
  faults.push({
    kind: "store-lossy",
    worker: who,
    atMs: atMs + hurryMs - 50,
    forMs: random.between(2_000, 5_000),
    lostRequests: 0,
    lostAnswers: 0.8,
    duplicates: 0,
    delayed: 0,
  });
  faults.push({ kind: "start", worker: who, atMs: healMs - random.between(0, 1_000) });
}

/** Its belief ends and comes again, and an operator fences it while it resumes what it held. */
function fencedInItsResumption(draw: Draw, who: number): void {
  const { random, warmUpMs, healMs, leaseDurationMs, faults } = draw;
  // A belief rests on the last beat before: it is over by then, and not fenced yet.
  const forMs = 0.9 * leaseDurationMs;
  const atMs = random.between(warmUpMs, healMs - forMs - 4_000);
  const againAtMs = atMs + forMs;
  faults.push({ kind: "store-outage", of: "writes", how: "refusing", worker: who, atMs, forMs });
  const factor = random.between(12, 30);
  faults.push({ kind: "store-slow", worker: who, atMs: againAtMs, forMs: 3_000, factor });
  faults.push({ kind: "forced-fence", worker: who, atMs: againAtMs + random.between(400, 900) });
}

/** Nobody can beat, and when all come to resume what they held, rows of it are gone. */
function deletedWhileLapsed(draw: Draw): void {
  const { random, warmUpMs, healMs, leaseDurationMs, faults } = draw;
  const forMs = random.between(1, 1.3) * leaseDurationMs;
  const atMs = random.between(warmUpMs, healMs - forMs);
  faults.push({ kind: "store-outage", of: "writes", how: "refusing", atMs, forMs });
  for (let i = 0; i < 2; i++) {
    const deletedAtMs = atMs + forMs - random.between(0, 1_000);
    faults.push({ kind: "lease-row-deleted", atMs: deletedAtMs, pick: random.next() });
  }
}

/** Its row goes while it stands still, and it finds a tombstone in its place. */
function silentWithoutARow(draw: Draw, who: number): void {
  const { random, warmUpMs, healMs, leaseDurationMs, faults } = draw;
  const forMs = random.between(0.5, 1.1) * leaseDurationMs;
  const atMs = random.between(warmUpMs + 5_000, healMs - forMs);
  faults.push({ kind: "pause", worker: who, atMs, forMs });
  faults.push({ kind: "worker-row-deleted", worker: who, atMs: atMs + 10 });
}
