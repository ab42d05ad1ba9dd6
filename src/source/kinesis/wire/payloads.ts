import type { Body } from "./body.js";

/** What becomes of the payloads of one body, which are asked for in their order. */
export interface Payloads {
  of(start: number, length: number): Uint8Array;
}

/** Views: a record that is kept keeps the whole body. */
export class PayloadViews implements Payloads {
  readonly #body: Buffer;

  constructor(body: Buffer) {
    this.#body = body;
  }

  of(start: number, length: number): Uint8Array {
    return new Uint8Array(this.#body.buffer, this.#body.byteOffset + start, length);
  }
}

/** What small payloads are copied in together. Larger pieces are no cheaper, and the host maps those from 128 KiB on anew each time. */
export const pieceBytes = 65_536;
/** A payload of this size on is copied by itself: of a piece that it ends in, too much would be copied in vain. */
export const ownPieceBytes = pieceBytes / 4;
/** Chunks are worth keeping from this size on, by their mean. Over TLS none is larger than 16 KiB, and most are some bytes less. */
const chunkBytesAtLeast = 8_192;

/**
 * Copies, a piece of the body at a time: what costs is not the bytes but the memory asked for, and a piece is asked for once
 * for all the payloads in it. A record that is kept keeps one piece.
 */
export class PayloadCopies implements Payloads {
  readonly #body: Buffer;
  #piece: ArrayBufferLike = new ArrayBuffer(0);
  #from = 0;
  #to = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  of(start: number, length: number): Uint8Array {
    if (length >= ownPieceBytes) return new Uint8Array(copyOf(this.#body, start, start + length));
    if (start + length > this.#to) {
      this.#from = start;
      this.#to = Math.min(start + pieceBytes, this.#body.length);
      this.#piece = copyOf(this.#body, this.#from, this.#to);
    }
    return new Uint8Array(this.#piece, start - this.#from, length);
  }
}

function copyOf({ buffer, byteOffset }: Buffer, from: number, to: number): ArrayBufferLike {
  return buffer.slice(byteOffset + from, byteOffset + to);
}

/**
 * Views of the chunks that a body came in, where these are pieces themselves: nothing is copied but what lies in two. A
 * record that is kept keeps one chunk.
 */
export class PayloadsInChunks implements Payloads {
  readonly #chunks: readonly Uint8Array[];
  readonly #body: Buffer;
  #chunk: Uint8Array = new Uint8Array(0);
  #next = 0;
  #from = 0;
  #to = 0;

  /** @param body the same, put together */
  constructor(chunks: readonly Uint8Array[], body: Buffer) {
    this.#chunks = chunks;
    this.#body = body;
  }

  of(start: number, length: number): Uint8Array {
    while (this.#to <= start && this.#next < this.#chunks.length) this.#step();
    if (start + length > this.#to) return new Uint8Array(copyOf(this.#body, start, start + length));
    return new Uint8Array(this.#chunk.buffer, this.#chunk.byteOffset + start - this.#from, length);
  }

  #step(): void {
    this.#chunk = this.#chunks[this.#next++] ?? this.#chunk;
    this.#from = this.#to;
    this.#to += this.#chunk.length;
  }
}

/** Payloads of which a record that is kept keeps no more than a piece; `whole` is the same body, put together. */
export function payloadsInPieces(body: Body, whole: Buffer): Payloads {
  const { chunks, length } = body;
  const arePieces = chunks.every((chunk) => chunk.buffer.byteLength <= pieceBytes);
  // A slow network brings it in such small ones that too many payloads lie in two.
  return arePieces && length >= chunks.length * chunkBytesAtLeast
    ? new PayloadsInChunks(chunks, whole)
    : new PayloadCopies(whole);
}
