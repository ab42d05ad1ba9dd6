import type { ProtocolConfig } from "../model/config.js";
import type { Emit } from "../model/events.js";
import type { Clock } from "../runtime/clock.js";
import type { Random } from "../runtime/random.js";
import type { PartitionSource } from "../source/partition-source.js";
import type { Answers } from "./answers.js";
import type { ProcessingConfig } from "./options.js";
import type { PartitionEnd } from "./partition-end.js";
import type { Work } from "./processor.js";
import type { Slots } from "./slots.js";

/** What all runners of a worker share. */
export interface RunnerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  readonly config: ProtocolConfig;
  readonly processing: ProcessingConfig;
  readonly source: PartitionSource;
  readonly processor: Work;
  readonly partitionEnd: PartitionEnd;
  readonly slots: Slots;
  readonly answers: Answers;
}
