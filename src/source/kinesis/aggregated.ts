import { createHash } from "node:crypto";

const magic = [0xf3, 0x89, 0x9a, 0xc2] as const;
const digestBytes = 16;

/**
 * Whether a record's payload is an aggregate of the KPL: its magic number, a body, and the body's MD5. A payload that only
 * begins like one is a plain record.
 */
export function isAggregated(data: Uint8Array): boolean {
  // Asked of every record: nothing is made of it before the magic number has matched.
  if (data.length <= magic.length + digestBytes) return false;
  if (data[0] !== magic[0] || data[1] !== magic[1] || data[2] !== magic[2] || data[3] !== magic[3])
    return false;
  const body = data.subarray(magic.length, data.length - digestBytes);
  const digest = createHash("md5").update(body).digest();
  return digest.equals(data.subarray(data.length - digestBytes));
}
