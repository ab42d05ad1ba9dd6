import { expect } from "chai";
import { bench } from "./bench.js";

interface Frame {
  readonly label: string;
  readonly micros: number;
  readonly children: Map<string, Frame>;
}

const { fold } = (await bench("flame.mjs")) as { fold(profile: object): Frame };

describe("the throughput bench's flame graph", () => {
  it("adds up what equal callees of one caller take, and leaves out idle time, the profiler and the machine's folders", () => {
    const call = (functionName: string, url = ""): object => ({ functionName, url, lineNumber: 6 });
    const nodes = [
      { id: 1, callFrame: call("(root)"), children: [2, 3, 4, 6] },
      { id: 2, callFrame: call("(idle)") },
      { id: 3, callFrame: call("work", "file:///home/someone/leasehold/dist/worker.js"), children: [5] },
      { id: 4, callFrame: call("work", "file:///home/someone/leasehold/dist/worker.js") },
      { id: 5, callFrame: call("", "file:///x/node_modules/@smithy/core/index.js") },
      { id: 6, callFrame: call("post", "node:inspector") },
    ];
    const top = fold({ nodes, samples: [2, 3, 4, 5, 5, 6], timeDeltas: [1_000, 20, 30, 40, 50, 60] });
    expect(top.micros).to.equal(140);
    const [work] = [...top.children.values()];
    expect([work?.label, work?.micros]).to.deep.equal(["work dist/worker.js:7", 140]);
    expect([...(work?.children.values() ?? [])].map(({ label, micros }) => [label, micros])).to.deep.equal([
      ["(anonymous) @smithy/core/index.js:7", 90],
    ]);
  });
});
