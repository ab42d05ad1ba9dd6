import { expect } from "chai";
import { Directives } from "../../src/fleet/directives.js";
import type { Member } from "../../src/fleet/member.js";
import { resolveProtocol } from "../../src/model/config.js";
import type { LeaseholdEvent } from "../../src/model/events.js";
import { seededRandom, VirtualTime } from "../../src/testing/index.js";

/** Directives of a planner whose posts wait for the test. */
function setting() {
  const clock = new VirtualTime().clock();
  const told: LeaseholdEvent[] = [];
  const posts: { readonly to: string; readonly answer: () => void }[] = [];
  const post = (to: string): Promise<unknown> =>
    new Promise((resolve) => {
      posts.push({
        to,
        answer: () => {
          resolve({ ok: true, row: { workerId: to, beat: 7, mailbox: new Map() } });
        },
      });
    });
  const member = {
    workerId: "p",
    deps: {
      clock,
      random: seededRandom(1),
      config: resolveProtocol(),
      emit: (event: LeaseholdEvent) => told.push(event),
      store: { membership: { post } },
    },
    fleet: { row: () => undefined },
  } as unknown as Member;
  return { directives: new Directives(member), posts, told };
}

const move = (leaseKey: string, from: string) =>
  ({ leaseKey, epoch: 5, from, to: "c", why: "balance" }) as const;

describe("a planner's directives", () => {
  it("count at their targets once they are posted", async () => {
    const { directives, posts } = setting();
    const posted = directives.post([move("s1", "a")], 1);
    posts[0]!.answer();
    expect(await posted).to.equal("all");
    expect(directives.target("s1", 5)).to.equal("c");
  });

  // Deposed while one was being posted, and elected again before its answer: it is void by its epoch.
  it("that were being posted when the planner was deposed count nowhere, and no more are posted (seed 3385)", async () => {
    const { directives, posts, told } = setting();
    const posted = directives.post([move("s1", "a"), move("s2", "b")], 1);
    directives.forget();
    posts[0]!.answer();
    expect(await posted).to.equal("some");
    expect(posts.map(({ to }) => to)).to.deep.equal(["a"]);
    expect(directives.target("s1", 5)).to.equal(undefined);
    expect(told.map(({ type }) => type)).to.deep.equal(["directive-posted"]);
  });

  it("are not all posted either if it was deposed while the last ones were under way", async () => {
    const { directives, posts } = setting();
    const posted = directives.post([move("s1", "a")], 1);
    directives.forget();
    posts[0]!.answer();
    expect(await posted).to.equal("some");
  });
});
