import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";

/** The kept-alive connections of one client. */
export class Connections {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;

  /** @param maxSockets how many there may be at once */
  constructor(maxSockets: number) {
    const options = { keepAlive: true, maxSockets };
    this.httpAgent = new HttpAgent(options);
    this.httpsAgent = new HttpsAgent(options);
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
