import type { Happening } from "./fleet-event.js";

/** One worker of a fleet under test. */
export interface TestWorker {
  /** `w1`, `w2`, … unless it was given another; its worker ids begin with it. */
  readonly label: string;
  /** The present worker's id; undefined until it has joined. New after every fence. */
  readonly workerId: string | undefined;
  /** Of its process; undefined for a worker in the test's own process. */
  readonly pid: number | undefined;
  readonly state: "starting" | "running" | "frozen" | "killed" | "stopping" | "exited";
  /** Resolves with its exit status when it is over: 0 after a clean stop, null when it was killed. */
  readonly exited: Promise<number | null>;
}

/** What a fleet does to one worker. */
export interface WorkerHandle {
  readonly pid: number | undefined;
  kill(): void;
  freeze(): void;
  thaw(): void;
  /** Asks for a clean stop. */
  leave(): void;
  /** Ends it in the quickest way there is. */
  end(): void;
}

/** Where a worker's handle says what happens to it. The last thing is `exited`. */
export type Hear = (happening: Happening, atMs: number) => void;
