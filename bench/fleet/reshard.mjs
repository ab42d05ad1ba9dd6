// A shard is split, and its children merged again: how long from the parent's end to the last child's first read.

const reshardSeconds = 60;

export async function reshard({ standing, say, runs, times }) {
  for (let run = 1; run <= times; run++) {
    await standing.whole();
    const shards = await standing.stream.openShards();
    const parent = shards[(run * 7) % shards.length];
    await standing.stream.split(parent);
    const children = await measure("split", [parent.shardId]);
    // In the order of their hash keys, as a merge wants them.
    const [left, right] = (await standing.stream.openShards())
      .map(({ shardId }) => shardId)
      .filter((shardId) => children.has(shardId));
    await standing.stream.merge(left, right);
    await measure("merge", [left, right]);
  }

  async function measure(what, parents) {
    const { ms, children } = await standing.fleet.logged(
      `the children of a ${what}`,
      reshardSeconds,
      (books) => childrenRead(books, parents),
    );
    runs.reshard.push(ms);
    say(`${what}: parent's end → first read of the last child: ${Math.round(ms)} ms`);
    return children;
  }
}

function childrenRead(books, parents) {
  const ends = parents.map((parent) => books.ends.get(parent));
  if (ends.includes(undefined)) return undefined;
  const children = new Set(ends.flatMap((end) => end.children));
  const endedAt = Math.max(...ends.map(({ at }) => at));
  const readAt = books.lastFirstRead(children, 0, () => true);
  return children.size > 0 && readAt !== undefined && { ms: readAt - endedAt, children };
}
