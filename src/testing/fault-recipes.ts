import { drawOutage, follow, instant, lasting, perhapsWorker, worker, type Draw } from "./draw.js";

/** One of these is drawn for each fault, as often as its number says. */
export const recipes: readonly (readonly [weight: number, draw: (draw: Draw) => void])[] = [
  [2, crash],
  [
    1,
    (draw) => {
      draw.faults.push({ kind: "restart", worker: worker(draw), atMs: instant(draw) });
    },
  ],
  [1, exit],
  [1, deaths],
  [0.7, deathWithObservers],
  [0.5, coldStart],
  [
    2,
    (draw) => {
      draw.faults.push({ kind: "pause", worker: worker(draw), ...lasting(draw, 1_000, 25_000) });
    },
  ],
  [
    1,
    (draw) => {
      draw.faults.push({ kind: "suspend", worker: worker(draw), ...lasting(draw, 1_000, 25_000) });
    },
  ],
  [
    1.5,
    (draw) => {
      draw.faults.push({ kind: "event-loop-stall", worker: worker(draw), ...lasting(draw, 1_000, 20_000) });
    },
  ],
  [
    1,
    (draw) => {
      const byMs = draw.random.pick([-3_600_000, -20_000, -1_000, 1_000, 20_000, 3_600_000]);
      draw.faults.push({ kind: "wall-jump", worker: worker(draw), atMs: instant(draw), byMs });
    },
  ],
  [2, stop],
  [1, secondStop],
  [1, stopCalledOff],
  [
    1,
    (draw) => {
      drawOutage(draw, { worker: worker(draw) });
    },
  ],
  [
    1,
    (draw) => {
      const factor = draw.random.between(5, 200);
      draw.faults.push({
        kind: "store-slow",
        ...lasting(draw, 2_000, 20_000),
        factor,
        ...perhapsWorker(draw),
      });
    },
  ],
  [2, lossy],
  [
    1,
    (draw) => {
      const share = draw.random.between(0.1, 0.6);
      const of = draw.random.pick(["reads", "writes", "all"] as const);
      draw.faults.push({
        kind: "store-throttled",
        ...lasting(draw, 2_000, 20_000),
        share,
        of,
        ...perhapsWorker(draw),
      });
    },
  ],
  [
    1,
    (draw) => {
      const share = draw.random.between(0.05, 0.5);
      draw.faults.push({
        kind: "store-failing",
        ...lasting(draw, 2_000, 20_000),
        share,
        ...perhapsWorker(draw),
      });
    },
  ],
  [0.5, denied],
  [
    1,
    (draw) => {
      const upToMs = draw.random.between(500, 10_000);
      draw.faults.push({
        kind: "stale-reads",
        ...lasting(draw, 5_000, 30_000),
        upToMs,
        ...perhapsWorker(draw),
      });
    },
  ],
  [
    0.7,
    (draw) => {
      const upToMs = draw.random.between(2_000, 25_000);
      draw.faults.push({
        kind: "index-lag",
        ...lasting(draw, 5_000, 40_000),
        upToMs,
        ...perhapsWorker(draw),
      });
    },
  ],
  [
    1,
    (draw) => {
      draw.faults.push({ kind: "stream-outage", ...lasting(draw, 1_000, 20_000) });
    },
  ],
  [
    0.7,
    (draw) => {
      const share = draw.random.between(0.1, 0.8);
      draw.faults.push({ kind: "stream-throttled", ...lasting(draw, 2_000, 20_000), share });
    },
  ],
  [
    0.4,
    (draw) => {
      draw.faults.push({ kind: "stream-denied", ...lasting(draw, 1_000, 10_000) });
    },
  ],
  [
    0.8,
    (draw) => {
      draw.faults.push({ kind: "shard-silent", ...lasting(draw, 5_000, 40_000), pick: draw.random.next() });
    },
  ],
  [
    2,
    (draw) => {
      draw.faults.push({ kind: "split", atMs: instant(draw), pick: draw.random.next() });
    },
  ],
  [
    1,
    (draw) => {
      draw.faults.push({ kind: "merge", atMs: instant(draw), pick: draw.random.next() });
    },
  ],
  [
    1,
    (draw) => {
      draw.faults.push({ kind: "trim", atMs: instant(draw) });
    },
  ],
  [
    1,
    (draw) => {
      draw.faults.push({ kind: "stuck-processor", worker: worker(draw), ...lasting(draw, 5_000, 30_000) });
    },
  ],
  [
    1,
    (draw) => {
      const share = draw.random.between(0.1, 0.9);
      draw.faults.push({
        kind: "failing-processor",
        worker: worker(draw),
        ...lasting(draw, 2_000, 20_000),
        share,
      });
    },
  ],
  [
    1,
    (draw) => {
      draw.faults.push({
        kind: "slow-processor",
        worker: worker(draw),
        ...lasting(draw, 5_000, 25_000),
        workMs: draw.random.between(1_000, 20_000),
        reports: draw.random.chance(0.5),
      });
    },
  ],
  [1.5, forcedFence],
  [
    0.8,
    (draw) => {
      draw.faults.push({ kind: "worker-row-deleted", worker: worker(draw), atMs: instant(draw) });
    },
  ],
  [
    0.5,
    (draw) => {
      draw.faults.push({ kind: "lease-row-deleted", atMs: instant(draw), pick: draw.random.next() });
    },
  ],
  [
    0.7,
    (draw) => {
      draw.faults.push({ kind: "idle-planner", ...lasting(draw, 5_000, 40_000) });
    },
  ],
  [
    0.7,
    (draw) => {
      draw.faults.push({ kind: "two-planners", ...lasting(draw, 3_000, 20_000) });
    },
  ],
];
const allWeights = recipes.reduce((sum, [weight]) => sum + weight, 0);

/** Draws one fault, with what belongs to it. */
export function drawFault(draw: Draw): void {
  let at = draw.random.between(0, allWeights);
  for (const [weight, recipe] of recipes) {
    at -= weight;
    if (at >= 0) continue;
    recipe(draw);
    return;
  }
}

function forcedFence(draw: Draw): void {
  const who = worker(draw);
  const atMs = instant(draw);
  draw.faults.push({ kind: "forced-fence", worker: who, atMs });
  // Most telling where the fenced one does not read it in time.
  if (!draw.random.chance(0.5)) return;
  const pausedAtMs = Math.min(draw.healMs, atMs + draw.random.between(0, 500));
  const forMs = Math.min(draw.healMs - pausedAtMs, draw.random.between(500, 15_000));
  draw.faults.push({ kind: "pause", worker: who, atMs: pausedAtMs, forMs });
}

function crash(draw: Draw): void {
  const who = worker(draw);
  const atMs = instant(draw);
  draw.faults.push({ kind: "crash", worker: who, atMs });
  follow(draw, who, atMs);
}

function exit(draw: Draw): void {
  const who = worker(draw);
  const atMs = instant(draw);
  draw.faults.push({ kind: "exit", worker: who, atMs });
  follow(draw, who, atMs);
}

/** Several at the same instant, as when a rack loses its power. */
function deaths(draw: Draw): void {
  const atMs = instant(draw);
  const count = draw.random.integer(2, Math.max(2, draw.machines - 1));
  for (let i = 0; i < count; i++) {
    const who = worker(draw);
    draw.faults.push({ kind: "crash", worker: who, atMs });
    follow(draw, who, atMs);
  }
}

function deathWithObservers(draw: Draw): void {
  const atMs = instant(draw);
  draw.faults.push({ kind: "death-with-observers", worker: worker(draw), atMs });
  for (let who = 0; who < draw.machines; who++) follow(draw, who, atMs);
}

function coldStart(draw: Draw): void {
  draw.faults.push({ kind: "cold-start", ...lasting(draw, 0, 20_000) });
}

function stop(draw: Draw): void {
  const who = worker(draw);
  const atMs = instant(draw);
  draw.faults.push({ kind: "stop", worker: who, atMs });
  follow(draw, who, atMs);
}

function secondStop(draw: Draw): void {
  const who = worker(draw);
  const { atMs, forMs } = lasting(draw, 0, 3_000);
  draw.faults.push({ kind: "second-stop", worker: who, atMs, forMs });
  follow(draw, who, atMs + forMs);
}

/** Called off while it goes on, or when it is over. */
function stopCalledOff(draw: Draw): void {
  draw.faults.push({ kind: "stop-called-off", worker: worker(draw), ...lasting(draw, 0, 4_000) });
}

/** What a policy may deny to one role; a beat that is denied is an outage of its own. */
const deniable = [
  ["membership.beat"],
  ["leases.scan"],
  ["membership.readFleet"],
  ["membership.readPart"],
  ["checkpoints.write"],
  ["ownership.change"],
  ["history.archive"],
  ["membership.post"],
] as const;

function denied(draw: Draw): void {
  draw.faults.push({
    kind: "store-denied",
    operations: draw.random.pick(deniable),
    ...lasting(draw, 2_000, 20_000),
    ...perhapsWorker(draw),
  });
}

function lossy(draw: Draw): void {
  const { random } = draw;
  draw.faults.push({
    kind: "store-lossy",
    ...lasting(draw, 2_000, 30_000),
    lostRequests: random.between(0, 0.3),
    lostAnswers: random.between(0, 0.3),
    duplicates: random.between(0, 0.3),
    delayed: random.between(0, 0.2),
    ...perhapsWorker(draw),
  });
}
