import { Agent as HttpAgent, type ClientRequestArgs } from "node:http";
import { Agent as HttpsAgent, type RequestOptions } from "node:https";
import type { OnReadOpts } from "node:net";
import type { Duplex } from "node:stream";

type Connected = (error: Error | null, socket: Duplex) => void;

/** The kept-alive connections of one client. */
export class Connections {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;

  /** @param maxSockets how many there may be at once */
  constructor(maxSockets: number) {
    const options = { keepAlive: true, maxSockets };
    this.httpAgent = new OneBufferHttpAgent(options);
    this.httpsAgent = new OneBufferHttpsAgent(options);
  }

  /**
   * Ends those that no call uses now. Where one has gone deaf (a firewall forgot it, the machine behind it vanished) the
   * others may have with it, and each would cost one more call its whole time.
   */
  dropIdle(): void {
    for (const { freeSockets } of [this.httpAgent, this.httpsAgent]) {
      for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    }
  }
}

class OneBufferHttpAgent extends HttpAgent {
  override createConnection(options: ClientRequestArgs, connected?: Connected): Duplex | null | undefined {
    return readIntoOneBuffer((onread) => super.createConnection({ ...options, ...onread }, connected));
  }
}

class OneBufferHttpsAgent extends HttpsAgent {
  override createConnection(options: RequestOptions, connected?: Connected): Duplex | null | undefined {
    return readIntoOneBuffer((onread) => super.createConnection({ ...options, ...onread }, connected));
  }
}

/** Read at once at most: as much as Node reads without. */
const buffer = Buffer.allocUnsafeSlow(65_536);

/**
 * All connections are read into one buffer. Without, Node asks for 64 KiB of new memory for each read, and its parser of HTTP
 * copies out of that at once, whatever is read: twice as much garbage outside the heap, by which alone the collector is
 * started under load.
 */
function readIntoOneBuffer(connect: (options: { onread: OnReadOpts }) => Duplex | null | undefined) {
  const socket = connect({
    onread: {
      buffer,
      callback: (bytes) => {
        // Nobody has asked for what comes between two answers.
        if (socket?.emit("data", buffer.subarray(0, bytes)) === false) socket.destroy();
        return true;
      },
    },
  });
  return socket;
}
