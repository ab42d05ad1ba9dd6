import type { ProxyRequest } from "./proxy-faults.js";

/** An answer that the service never gave. */
export interface ForgedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const account = "000000000000";
const region = "us-east-1";

/** Item calls are metered by a table's capacity; all others by a rate of calls. */
const metered =
  /^(Get|Put|Update|Delete)Item$|^(Query|Scan)$|^(BatchGet|BatchWrite)Item$|^Transact(Get|Write)Items$/;

/** Refused at the door for coming too fast, as each service says it. */
export function throttled({ service, action, body }: ProxyRequest, stream: string): ForgedAnswer {
  if (service === "kinesis") {
    const isRead = action === "GetRecords";
    return json(400, {
      __type: isRead ? "ProvisionedThroughputExceededException" : "LimitExceededException",
      message: isRead
        ? `Rate exceeded for shard in stream ${stream} under account ${account}.`
        : `Rate exceeded for stream ${nameIn(body, "StreamName") ?? stream} under account ${account}.`,
    });
  }
  return metered.test(action)
    ? json(400, {
        __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        message:
          "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
      })
    : json(400, {
        __type: "com.amazon.coral.availability#ThrottlingException",
        message: "Rate of requests exceeds the allowed throughput.",
      });
}

/** The service's own fault: in its form, or as a load balancer before it says so. */
export function failed({ service }: ProxyRequest, status: 500 | 503): ForgedAnswer {
  if (status === 503) {
    const body = "<html><body><b>Http/1.1 Service Unavailable</b></body> </html>";
    return { status, contentType: "text/html", body };
  }
  return service === "kinesis"
    ? json(500, { __type: "InternalFailure", message: "Internal service failure." })
    : json(500, {
        __type: "com.amazonaws.dynamodb.v20120810#InternalServerError",
        message: "Internal server error",
      });
}

/** Refused by a policy: who, which action, which resource. */
export function denied({ service, action, body }: ProxyRequest, stream: string): ForgedAnswer {
  const name = `${service}:${action}`;
  const resource =
    service === "kinesis"
      ? (nameIn(body, "StreamARN") ??
        `arn:aws:kinesis:${region}:${account}:stream/${nameIn(body, "StreamName") ?? stream}`)
      : `arn:aws:dynamodb:${region}:${account}:table/${nameIn(body, "TableName") ?? "*"}`;
  const message = `User: arn:aws:sts::${account}:assumed-role/worker/session is not authorized to perform: ${name} on resource: ${resource} because no identity-based policy allows the ${name} action`;
  return service === "kinesis"
    ? json(400, { __type: "AccessDeniedException", message })
    : json(400, { __type: "com.amazon.coral.service#AccessDeniedException", Message: message });
}

/** The stream that a request names. Reads name only their iterator: they are of the stream that was named last. */
export function streamIn({ body }: ProxyRequest): string | undefined {
  return nameIn(body, "StreamName") ?? nameIn(body, "StreamARN")?.split("/").at(-1);
}

/** Whether the store says, when asked, what the action consumed. */
export function isMetered({ service, action }: ProxyRequest): boolean {
  return service === "dynamodb" && metered.test(action);
}

function nameIn(body: ProxyRequest["body"], field: string): string | undefined {
  const value = body[field];
  return typeof value === "string" ? value : undefined;
}

function json(status: number, body: Readonly<Record<string, string>>): ForgedAnswer {
  return { status, contentType: "application/x-amz-json-1.0", body: JSON.stringify(body) };
}
