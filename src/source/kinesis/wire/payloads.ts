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
    if (start < this.#from || start + length > this.#to) {
      this.#from = start;
      this.#to = Math.min(start + pieceBytes, this.#body.length);
      this.#piece = copyOf(this.#body, this.#from, this.#to);
    }
    return new Uint8Array(this.#piece, start - this.#from, length);
  }
}

function copyOf({ buffer, byteOffset }: Buffer, from: number, to: number): ArrayBufferLike {
  // Not `slice`, which fills the memory with zeros first.
  const memory = Buffer.allocUnsafeSlow(to - from);
  memory.set(new Uint8Array(buffer, byteOffset + from, to - from));
  return memory.buffer;
}
