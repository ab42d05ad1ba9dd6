import { expect } from "chai";
import fc from "fast-check";
import { PayloadCopies, PayloadViews } from "../../../../src/source/kinesis/wire/payloads.js";

const pieceBytes = 65_536;

describe("the payloads of an answer", () => {
  // Gaps and payloads in turns, as records lie in a body: small ones, and some around the sizes that are special.
  const size = fc.oneof(
    fc.nat({ max: 2_000 }),
    fc.integer({ min: 16_000, max: 17_000 }),
    fc.nat({ max: 200_000 }),
  );
  const layout = fc.array(fc.record({ gap: fc.nat({ max: 300 }), size }), { maxLength: 100 });

  function laidOut(parts: readonly { gap: number; size: number }[]) {
    let end = 0;
    const spans = parts.map(({ gap, size: length }) => {
      const start = end + gap;
      end = start + length;
      return { start, length };
    });
    // Not at its memory's begin, as a body need not be.
    const body = Buffer.from(new ArrayBuffer(end + 20), 7, end + 13);
    for (let at = 0; at < body.length; at++) body[at] = at % 251;
    return { body, spans };
  }

  it("are copied byte by byte, and keep 64 KiB or themselves at most (property)", () => {
    fc.assert(
      fc.property(layout, (parts) => {
        const { body, spans } = laidOut(parts);
        const expected = spans.map(({ start, length }) => Buffer.from(body.subarray(start, start + length)));
        const copies = new PayloadCopies(body);
        const payloads = spans.map(({ start, length }) => copies.of(start, length));
        // What the body's memory is used for afterwards is nothing to them.
        body.fill(0xff);
        payloads.forEach((payload, at) => {
          expect(expected[at]?.equals(payload)).to.equal(true);
          const kept = payload.buffer.byteLength;
          expect(kept === payload.length || kept <= pieceBytes, `${kept} bytes kept`).to.equal(true);
        });
      }),
      { numRuns: 50 },
    );
  });

  it("are copied many in a piece", () => {
    const { body, spans } = laidOut(Array.from({ length: 1_000 }, () => ({ gap: 100, size: 1_000 })));
    const copies = new PayloadCopies(body);
    const pieces = new Set(spans.map(({ start, length }) => copies.of(start, length).buffer));
    expect(pieces.size).to.be.below(20);
  });

  it("share the body's memory as views", () => {
    const { body, spans } = laidOut([{ gap: 5, size: 1_000 }]);
    const views = new PayloadViews(body);
    const [payload] = spans.map(({ start, length }) => views.of(start, length));
    expect(payload?.buffer).to.equal(body.buffer);
    expect(Buffer.from(body.subarray(5, 1_005)).equals(payload ?? Buffer.alloc(0))).to.equal(true);
  });
});
