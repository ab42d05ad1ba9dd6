import { plainBytes } from "./decoded.js";
import { ownPieceBytes, pieceBytes } from "./payloads.js";

/** A payload in memory of its own. @throws for what is no base64 */
export function fromBase64(text: string): Uint8Array {
  const length = decodedLength(text);
  const memory = Buffer.allocUnsafeSlow(length);
  decode(text, memory, 0, length);
  return plainBytes(memory);
}

/** Decodes the payloads of one answer, many into one piece: a record that is kept keeps that piece, and nothing of Node's pool. */
export class Base64Pieces {
  #leftBytes: number;
  #piece = Buffer.alloc(0);
  #at = 0;

  /** @param bytes of all payloads at most */
  constructor(bytes: number) {
    this.#leftBytes = bytes;
  }

  /** @throws for what is no base64 */
  of(text: string): Uint8Array {
    const length = decodedLength(text);
    if (length >= ownPieceBytes) return fromBase64(text);
    if (length > this.#piece.length - this.#at) {
      this.#piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, Math.max(length, this.#leftBytes)));
      this.#at = 0;
    }
    const start = this.#at;
    decode(text, this.#piece, start, length);
    this.#at += length;
    this.#leftBytes -= length;
    return plainBytes(this.#piece.subarray(start, this.#at));
  }
}

function decodedLength(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  // Node takes the base64 of URLs for base64, and the SDK does not.
  if (text.length % 4 !== 0 || text.includes("-") || text.includes("_")) throw new Error("not base64");
  return (text.length / 4) * 3 - padding;
}

function decode(text: string, memory: Buffer, at: number, length: number): void {
  // Node leaves out what is no base64, an escape of JSON too, without a word: the length tells.
  if (memory.write(text, at, length, "base64") !== length) throw new Error("not base64");
}
