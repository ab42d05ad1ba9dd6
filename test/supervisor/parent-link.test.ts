import { expect } from "chai";
import { hasCode } from "../../src/model/errors.js";
import type { ChildMessage } from "../../src/supervisor/messages.js";
import { ParentLink, type ParentChannel } from "../../src/supervisor/parent-link.js";
import { yieldToHost } from "../../src/runtime/host-turn.js";

class FakeChannel implements ParentChannel {
  connected = true;
  failure: Error | null = null;
  readonly sent: ChildMessage[] = [];
  #message: (message: unknown) => void = () => {};
  #disconnect: () => void = () => {};

  send(message: ChildMessage, sent: (error: Error | null) => void): void {
    this.sent.push(message);
    sent(this.failure);
  }

  onMessage(fn: (message: unknown) => void): void {
    this.#message = fn;
  }

  onDisconnect(fn: () => void): void {
    this.#disconnect = fn;
  }

  says(message: unknown): void {
    this.#message(message);
  }

  breaks(): void {
    this.connected = false;
    this.#disconnect();
  }
}

describe("a child's link to its parent", () => {
  let channel: FakeChannel;
  let link: ParentLink;

  beforeEach(() => {
    channel = new FakeChannel();
    link = new ParentLink(channel);
  });

  const outcome = (promise: Promise<void>): Promise<unknown> =>
    promise.then(
      () => "acknowledged",
      (error: unknown) => error,
    );

  it("keeps an announcement waiting until the parent has acknowledged that very worker", async () => {
    let done = false;
    const announced = link.announce("a").then(() => (done = true));
    expect(channel.sent).to.deep.equal([{ leasehold: "announce", workerId: "a" }]);
    channel.says({ leasehold: "acknowledged", workerId: "b" });
    channel.says({ leasehold: "acknowledged" });
    channel.says(null);
    await yieldToHost();
    expect(done).to.be.false;
    channel.says({ leasehold: "acknowledged", workerId: "a" });
    await announced;
  });

  it("refuses the announcement under way when the parent vanishes", async () => {
    const announced = outcome(link.announce("a"));
    channel.breaks();
    expect(hasCode(await announced, "worker-stopped")).to.be.true;
  });

  it("refuses every announcement after that", async () => {
    channel.breaks();
    expect(hasCode(await outcome(link.announce("a")), "worker-stopped")).to.be.true;
    expect(channel.sent).to.have.length(0);
  });

  it("refuses an announcement that could not be sent", async () => {
    channel.failure = new Error("EPIPE");
    expect(hasCode(await outcome(link.announce("a")), "worker-stopped")).to.be.true;
  });

  it("says when the parent has vanished", () => {
    expect(link.parentGone.aborted).to.be.false;
    channel.breaks();
    expect(link.parentGone.aborted).to.be.true;
  });

  it("knows of a parent that vanished before it was made", () => {
    const broken = new FakeChannel();
    broken.connected = false;
    expect(new ParentLink(broken).parentGone.aborted).to.be.true;
  });

  it("tells of workers that left, and of what no restart would help, while there is a parent", async () => {
    link.left("a");
    await link.fatal("handler-invalid", "no default export");
    expect(channel.sent).to.deep.equal([
      { leasehold: "left", workerId: "a" },
      { leasehold: "fatal", code: "handler-invalid", message: "no default export" },
    ]);
    channel.breaks();
    link.left("b");
    await link.fatal("x", "y");
    expect(channel.sent).to.have.length(2);
  });
});
