/** The public API of `leasehold`. */
export { Worker, type DynamoDbOptions, type WorkerOptions, type WorkerReport } from "./worker.js";
export type { BelievedLease } from "./compose.js";
export {
  Inspector,
  openInspector,
  type FleetStatus,
  type InspectedLeaseState,
  type LeaseInFleet,
  type WorkerInFleet,
  type WorkerState,
} from "./inspect.js";
export {
  FleetHistory,
  openHistory,
  type HistoryAnswer,
  type HistoryQuestion,
  type HistoryVerdict,
} from "./fleet-history.js";
export type { PastTenure } from "./model/history-series.js";
export { historyProblemKinds, type HistoryProblem, type HistoryProblemKind } from "./model/history-verify.js";
export type { OperatorAction } from "./model/operator-action.js";
export { openOperator, Operator, type ForcedFence, type OperatorOptions } from "./operate.js";
export type { ProtocolOptions } from "./model/config.js";
export { LeaseholdError, StoreError, errorCodes, hasCode, type ErrorCode } from "./model/errors.js";
export type {
  DiscoveryEvent,
  FleetEvent,
  LeaseholdEvent,
  ProcessingEvent,
  TenureEvent,
  WorkerEvent,
} from "./model/events.js";
export type { Position } from "./model/position.js";
export {
  endReasons,
  fenceKinds,
  incarnationEnds,
  tenureReasons,
  type EndReason,
  type FenceKind,
  type IncarnationEnd,
  type TenureReason,
} from "./model/reasons.js";
export type { Batch, CheckpointAt } from "./processing/batch.js";
export type { PartitionFailure, PartitionState, PartitionStatus } from "./processing/journal.js";
export type {
  CheckpointMode,
  FailureContext,
  FailureDecision,
  ProcessingOptions,
} from "./processing/options.js";
export type { Partition, Step } from "./processing/partition.js";
export type {
  EndOfPartition,
  LostReason,
  Processor,
  ProcessorFactory,
  ProcessorStart,
  Returned,
  StopReason,
  StopRequest,
} from "./processing/processor.js";
export { fixedPartitions, type FixedPartitionsOptions } from "./source/fixed/fixed-partitions.js";
export { kinesis } from "./source/kinesis/kinesis-source.js";
export type { KinesisOptions } from "./source/kinesis/options.js";
export type {
  OpenPartition,
  PartitionReader,
  PartitionSource,
  SourceFactory,
  SourceFetch,
  SourcePartition,
  SourceRecord,
  SourceRuntime,
} from "./source/partition-source.js";
export type { ProvisionedCapacity, TableOptions } from "./store/dynamodb/index.js";
export type { Logger } from "./telemetry/log.js";
export type { HeldLease } from "./tenure/tenure.js";
