/** A request as it passes through: what a fault may be scoped by. */
export interface ProxyRequest {
  readonly service: "dynamodb" | "kinesis";
  /** As `X-Amz-Target` names it: `UpdateItem`, `Query`, `GetRecords`, … */
  readonly action: string;
  readonly access: "read" | "write";
  /** The parsed body; `{}` where it is no JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Which requests a fault hits: all of them where nothing is said. */
export interface FaultScope {
  /** Only these actions, as `X-Amz-Target` names them. */
  readonly actions?: readonly string[];
  /** Only reads, or only writes. */
  readonly of?: "reads" | "writes";
  /** Only requests of which this is true: of one table, say, `({ body }) => body.TableName === "orders"`. */
  readonly where?: (request: ProxyRequest) => boolean;
  /** The share of those that is hit, from 0 to 1. Default 1. */
  readonly share?: number;
}

/**
 * One kind of bad weather between a worker and its endpoints.
 *
 * - `delay`: the request is held for so long, fixed or drawn evenly, then goes on.
 * - `throttle`: refused at the door in the service's own form, with status 400. Not applied.
 * - `error`: 500 in the service's own form, or 503 with a page of HTML as a load balancer gives it. Not applied.
 * - `denied`: AccessDeniedException, which names action and resource. Not applied.
 * - `lost-answer`: applied, and the connection is destroyed instead of an answer.
 * - `silent`: swallowed. Nothing comes, and the connection stays open and deaf, even after the fault has ended.
 * - `half-open`: every connection that is open when the fault is set becomes deaf; new ones work. It has no scope.
 * - `outage`: the connection is reset. Without a scope, every connection is, as it is made.
 */
export type ProxyFault =
  | (FaultScope & { readonly kind: "delay"; readonly ms: number | readonly [number, number] })
  | (FaultScope & { readonly kind: "throttle" })
  | (FaultScope & { readonly kind: "error"; readonly status: 500 | 503 })
  | (FaultScope & { readonly kind: "denied" })
  | (FaultScope & { readonly kind: "lost-answer" })
  | (FaultScope & { readonly kind: "silent" })
  | { readonly kind: "half-open" }
  | (FaultScope & { readonly kind: "outage" });

/** What becomes of one request: held for `delayMs`, then hit by `fault`, or forwarded where there is none. */
export interface Fate {
  readonly delayMs: number;
  readonly fault: Exclude<ProxyFault["kind"], "delay" | "half-open"> | undefined;
  readonly status: 500 | 503;
}

const writes =
  /^(Put|Update|Delete|Create|BatchWrite|TransactWrite|Merge|Split|Tag|Untag|Register|Deregister)/;

/** Whether the action changes something. */
export function accessOf(action: string): ProxyRequest["access"] {
  return writes.test(action) ? "write" : "read";
}

/** What the faults make of a request: delays add up, and of the others the first one that hits decides. */
export function fateOf(faults: readonly ProxyFault[], request: ProxyRequest, draw: () => number): Fate {
  let delayMs = 0;
  for (const fault of faults) {
    if (fault.kind === "half-open" || !hits(fault, request, draw)) continue;
    if (fault.kind === "delay") {
      const [from, to] = typeof fault.ms === "number" ? [fault.ms, fault.ms] : fault.ms;
      delayMs += from + (to - from) * draw();
      continue;
    }
    return { delayMs, fault: fault.kind, status: fault.kind === "error" ? fault.status : 500 };
  }
  return { delayMs, fault: undefined, status: 500 };
}

/** Whether a fault hits every request there is: an outage like that needs no request to be seen. */
export function isUnscoped(fault: ProxyFault): boolean {
  if (fault.kind === "half-open") return true;
  const { actions, of, where, share = 1 } = fault;
  return actions === undefined && of === undefined && where === undefined && share >= 1;
}

function hits(fault: FaultScope, request: ProxyRequest, draw: () => number): boolean {
  const { actions, of, where, share = 1 } = fault;
  if (actions?.includes(request.action) === false) return false;
  if (of !== undefined && of !== `${request.access}s`) return false;
  if (where?.(request) === false) return false;
  return share >= 1 || draw() < share;
}
