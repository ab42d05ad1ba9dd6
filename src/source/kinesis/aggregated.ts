import { createHash } from "node:crypto";

const magic = [0xf3, 0x89, 0x9a, 0xc2] as const;
const digestBytes = 16;

/**
 * Whether a record's payload is an aggregate of the KPL: its magic number, a body, and the body's MD5. A payload that only
 * begins like one is a plain record.
 * @param memory where the payload lies, from `start` to `end`
 */
export function isAggregated(memory: Uint8Array, start: number, end: number): boolean {
  // Asked of every record: nothing is made of it before the magic number has matched.
  if (end - start <= magic.length + digestBytes) return false;
  for (let i = 0; i < magic.length; i++) if (memory[start + i] !== magic[i]) return false;
  const body = memory.subarray(start + magic.length, end - digestBytes);
  const digest = createHash("md5").update(body).digest();
  return digest.equals(memory.subarray(end - digestBytes, end));
}
