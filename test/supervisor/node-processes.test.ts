import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Child, ChildExit } from "../../src/supervisor/child-host.js";
import { childMessage } from "../../src/supervisor/messages.js";
import { nodeChildHost, ownParentChannel } from "../../src/supervisor/node-processes.js";

const modulePath = fileURLToPath(new URL("./fixtures/child.ts", import.meta.url));

/** Runs one real child to its end; answers its announcement, then does `whenReady`. */
function runChild(does: string, whenReady: (child: Child) => void = () => {}) {
  const said: unknown[] = [];
  const host = nodeChildHost({ modulePath, args: (label) => [does, label], env: process.env });
  return new Promise<{ said: unknown[]; exit: ChildExit; child: Child }>((resolve) => {
    const child: Child = host.start("w1", {
      onMessage(message) {
        said.push(message);
        const known = childMessage(message);
        if (known?.leasehold === "announce")
          child.send({ leasehold: "acknowledged", workerId: known.workerId });
        if (message === "ready") whenReady(child);
      },
      onExit: (exit) => resolve({ said, exit, child }),
    });
  });
}

describe("children as Node processes", () => {
  it("announce, hear the acknowledgement, and leave at a SIGTERM", async () => {
    const { said, exit } = await runChild("wait", (child) => child.kill("SIGTERM"));
    expect(said).to.deep.equal([
      { leasehold: "announce", workerId: "w1-worker" },
      "ready",
      { leasehold: "left", workerId: "w1-worker" },
    ]);
    expect(exit).to.deep.equal({ code: 0, signal: null });
  });

  it("are known to be dead by their exit, with the signal that ended them", async () => {
    const { exit, child } = await runChild("wait", (one) => one.kill("SIGKILL"));
    expect(exit).to.deep.equal({ code: null, signal: "SIGKILL" });
    // Nobody listens any more: neither may throw.
    child.send({ leasehold: "acknowledged", workerId: "w1-worker" });
    child.kill("SIGTERM");
  });

  it("say what no restart would help", async () => {
    const { said, exit } = await runChild("fatal");
    expect(said.at(-1)).to.deep.equal({
      leasehold: "fatal",
      code: "handler-invalid",
      message: "no default export",
    });
    expect(exit.code).to.equal(78);
  });

  it("are reported as ended when they cannot be started", async () => {
    const host = nodeChildHost({ modulePath: "with\0zero", args: () => [] });
    const exit = await new Promise<ChildExit>((resolve) => {
      const child = host.start("w1", { onMessage: () => {}, onExit: resolve });
      expect(child.pid).to.be.undefined;
      child.send({ leasehold: "acknowledged", workerId: "a" });
      child.kill("SIGTERM");
    });
    expect(exit.error).to.be.a("string");
  });

  it("have no channel where nobody opened one", () => {
    expect(ownParentChannel()).to.be.undefined;
  });
});
