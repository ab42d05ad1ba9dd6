// A stream of Kinesis that answers from memory, on a free port of the loopback interface, so that what is measured is who
// reads it. HTTP by hand: a request is looked at for three headers, an answer goes out in one call of the system, and
// nothing is copied on its way but by the kernel.
//
//   node server.mjs SHARDS RECORD_BYTES RECORDS_PER_CALL     prints its endpoint; GET /stats says what it has done
import { createServer } from "node:net";
import { CannedStream, Refusal } from "./stream.mjs";
import { formats } from "./tape.mjs";

const target = /\r\nx-amz-target: *Kinesis_20131202\.(\w+)/i;
const lengthOf = /\r\ncontent-length: *(\d+)/i;
const typeOf = /\r\ncontent-type: *([^\r]+)/i;
const [json] = formats;

const [shards, recordBytes, recordsPerCall] = process.argv.slice(2).map(Number);
const stream = new CannedStream({ name: "canned", shards, recordBytes, recordsPerCall });
const startedAt = performance.now();

function stats() {
  const { user, system } = process.cpuUsage();
  const seconds = (performance.now() - startedAt) / 1_000;
  return { ...stream.counts(), cpuSeconds: (user + system) / 1e6, seconds };
}

function send(socket, status, contentType, parts, done = () => {}) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = `HTTP/1.1 ${status}\r\nDate: ${new Date().toUTCString()}\r\nContent-Type: ${contentType}\r\nContent-Length: ${length}\r\n\r\n`;
  socket.cork();
  socket.write(head, "latin1");
  parts.forEach((part, i) => socket.write(part, i === parts.length - 1 ? done : undefined));
  socket.uncork();
}

function answer(socket, head, body) {
  if (head.startsWith("GET /stats ")) {
    send(socket, "200 OK", "application/json", [Buffer.from(JSON.stringify(stats()))]);
    return;
  }
  const type = typeOf.exec(head)?.[1];
  const format = formats.find(({ contentType }) => contentType === type) ?? json;
  try {
    stream.call(target.exec(head)?.[1], format, format.decode(body), (parts, done) =>
      send(socket, "200 OK", format.contentType, parts, done),
    );
  } catch (error) {
    const { type = "SerializationException", message } = error;
    if (!(error instanceof Refusal)) console.error(error);
    send(socket, "400 Bad Request", format.contentType, [format.encode({ __type: type, message })]);
  }
}

/** Takes the whole requests out of what has come; what is left waits for more. */
function requests(socket, bytes) {
  for (;;) {
    const headLength = bytes.indexOf("\r\n\r\n") + 4;
    if (headLength < 4) return bytes;
    const head = bytes.latin1Slice(0, headLength);
    const end = headLength + Number(lengthOf.exec(head)?.[1] ?? 0);
    if (bytes.length < end) return bytes;
    answer(socket, head, bytes.subarray(headLength, end));
    bytes = bytes.subarray(end);
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  let rest = Buffer.alloc(0);
  socket.on(
    "data",
    (chunk) => (rest = requests(socket, rest.length === 0 ? chunk : Buffer.concat([rest, chunk]))),
  );
  // Who is measured is killed when it was.
  socket.on("error", () => socket.destroy());
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
// It ends with whoever started it.
process.stdin.resume().on("end", () => process.exit(0));
