/**
 * `leasehold/testing`: time, chance, the store and the stream in a test's hands; and a fleet of worker processes against
 * real endpoints. The worker that runs on them is the one that ships.
 */
export { startFleet, TestFleet, type Wait } from "./fleet/test-fleet.js";
export type { FleetOptions, StartOptions } from "./fleet/fleet-options.js";
export type { Happening, Seen } from "./fleet/fleet-event.js";
export type { TestWorker } from "./fleet/fleet-worker.js";
export { dynamodbAt, kinesisAt, type Endpoints } from "../embedded/endpoints.js";
export { createStream, TestStream, type TestStreamOptions } from "../embedded/test-stream.js";
export type { OpenShard } from "../embedded/demo-stream.js";
export { startDynalite, type Dynalite, type DynaliteOptions } from "../embedded/dynalite.js";
export { startKinesisLocal, type KinesisLocal, type KinesisLocalOptions } from "../embedded/kinesis-local.js";
export { VirtualTime } from "./virtual-time.js";
export { VirtualClock, type VirtualClockOptions } from "./virtual-clock.js";
export { seededRandom, type SeededRandom } from "./seeded-random.js";
export {
  faultEndMs,
  faultKinds,
  type Fault,
  type FaultKind,
  type NetworkFault,
  type OutageOf,
  type StreamFault,
} from "./faults.js";
export type {
  MachineFault,
  OperatorFault,
  PlannerFault,
  ProcessorFault,
  StopFault,
} from "./worker-faults.js";
export { calm, SimulatedNetwork, type Conditions, type Link } from "./simulated-network.js";
export { SimulatedStore, type SimulatedStoreOptions, type StoreTraffic } from "./simulated-store.js";
export { SimulatedStream, type SimulatedStreamOptions, type SourceLink } from "./simulated-stream.js";
export { type SimulatedShard, type SimulatedShards } from "./simulated-shards.js";
export { createMemoryStore, MemoryTables, type MemorySnapshot } from "../store/memory/index.js";
export { shippedWorker } from "./shipped-worker.js";
export { type SimulatedWorker, type WorkerFactory, type WorkerPorts } from "./simulated-worker.js";
export { healedAtMs, ownedWithinMs, type MachineScenario, type Scenario } from "./scenario.js";
export {
  drawHourScenario,
  drawScenario,
  scenarioOfSeed,
  themes,
  type ScenarioShape,
  type Theme,
} from "./scenario-draw.js";
export { simulate, type SimulationOptions, type SimulationResult } from "./simulator.js";
export { Monitor, type MonitorOptions, type Violation } from "./monitor/monitor.js";
export { checkTrace, type TraceCheck, type TraceLine } from "./monitor/check-trace.js";
export { monitorRules, type MonitorRule } from "./monitor/rules.js";
export { Trace, type TraceEntry, type TraceOptions } from "./trace.js";
export { invariantNames, InvariantViolation, type InvariantName } from "./violation.js";
export { startFaultProxy, type FaultProxy, type FaultProxyOptions } from "./fault-proxy.js";
export { type FaultScope, type ProxyFault, type ProxyRequest } from "./proxy-faults.js";
export { type ActionCounts } from "./proxy-counts.js";
export { storeContract, type ContractCase, type StoreHarness } from "./store-contract.js";
