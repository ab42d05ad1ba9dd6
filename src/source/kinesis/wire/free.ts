import { isUint8Array } from "node:util/types";
import { MessageChannel } from "node:worker_threads";

/** Nobody listens at its other end: what is sent there is freed. */
const { port1: away, port2: nobody } = new MessageChannel();
nobody.close();

/** Below, it is not worth a call. */
const leastBytes = 4_096;

/**
 * Frees a chunk's memory at once, where the collector would do so when it comes by: so much comes in between two of its
 * rounds that by this alone it would begin others. The chunk is empty after it. One that shares its memory is left alone.
 * @param chunk nobody else's
 */
export function free(chunk: unknown): void {
  if (!isUint8Array(chunk) || chunk.length < leastBytes || chunk.length !== chunk.buffer.byteLength) return;
  // What is sent is not the sender's any more, whether anybody gets it or not: so HTML's standard of structured data has it.
  // From Node 22 on `chunk.buffer.transfer(0)` says it plainer.
  if (chunk.buffer instanceof ArrayBuffer) away.postMessage(undefined, [chunk.buffer]);
}
