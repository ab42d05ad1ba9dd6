import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { createServer as createTlsServer, request as tlsRequest } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect } from "chai";
import { Connections } from "../../src/runtime/connections.js";

/** TLS without a certificate, which is not what is tested here. */
const tls = { ciphers: "AECDH-AES128-SHA:@SECLEVEL=0", maxVersion: "TLSv1.2" } as const;
/** Of one byte each, and more than one read brings. */
const bodies = [1, 2, 3, 4].map((byte) => Buffer.alloc(500_000 + byte, byte));

describe("the connections of a client", () => {
  let connections: Connections;
  let ended: (() => Promise<void>)[];
  beforeEach(() => {
    connections = new Connections(10);
    ended = [];
  });
  afterEach(async () => {
    connections.httpAgent.destroy();
    connections.httpsAgent.destroy();
    for (const end of ended) await end();
  });

  async function port(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ended.push(async () => {
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await once(server, "close");
    });
    return (server.address() as AddressInfo).port;
  }

  async function get(url: string): Promise<Buffer> {
    const { httpAgent, httpsAgent } = connections;
    const asked = url.startsWith("https")
      ? tlsRequest(url, { agent: httpsAgent, rejectUnauthorized: false, ...tls })
      : request(url, { agent: httpAgent });
    const answered = once(asked, "response");
    asked.end();
    const [answer] = (await answered) as [NodeJS.ReadableStream];
    return buffer(answer);
  }

  for (const protocol of ["http", "https"] as const) {
    it(`bring every body whole that comes at one time, by ${protocol}, and are used again`, async () => {
      const answer: Parameters<typeof createServer>[1] = ({ url }, response) => {
        const body = bodies[Number(url?.slice(1))] ?? Buffer.alloc(0);
        // In turns, so that they come between each other.
        for (let at = 0; at < body.length; at += 10_000) response.write(body.subarray(at, at + 10_000));
        response.end();
      };
      const server = protocol === "http" ? createServer(answer) : createTlsServer(tls, answer);
      let made = 0;
      server.on("connection", () => made++);
      const at = `${protocol}://127.0.0.1:${String(await port(server))}`;
      for (let round = 0; round < 2; round++) {
        const got = await Promise.all(bodies.map((_, i) => get(`${at}/${String(i)}`)));
        expect(got.map((body, i) => bodies[i]?.equals(body))).to.deep.equal([true, true, true, true]);
      }
      expect(made).to.equal(bodies.length);
    });
  }

  it("are read into one buffer, all of them", async () => {
    const at = await port(
      createTcpServer((socket) => {
        socket.end("some bytes");
      }),
    );
    const memories = new Set<ArrayBufferLike>();
    for (let i = 0; i < 3; i++) {
      const socket = connections.httpAgent.createConnection({ host: "127.0.0.1", port: at });
      if (!socket) throw new Error("no socket");
      socket.on("data", (bytes: Buffer) => {
        expect(bytes.toString()).to.equal("some bytes");
        memories.add(bytes.buffer);
      });
      await once(socket, "end");
      socket.destroy();
    }
    expect(memories.size).to.equal(1);
  });

  it("end where something comes that nobody has asked for, and another is made", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    const accepted: Socket[] = [];
    const at = await port(
      createTcpServer((socket) => {
        accepted.push(socket);
        const number = accepted.length;
        socket.on("error", () => undefined);
        socket.on("data", () => socket.write(`${answer}#${String(number)}`));
      }),
    );
    const url = `http://127.0.0.1:${String(at)}`;
    expect((await get(url)).toString()).to.equal("#1");
    const [first] = accepted;
    if (first === undefined) throw new Error("nothing was accepted");
    // Of another request's, as a confused proxy sends it.
    first.write(`${answer}no`);
    await once(first, "close");
    expect((await get(url)).toString()).to.equal("#2");
  });
});
