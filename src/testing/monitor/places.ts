const sentinels = ["AT_TIMESTAMP", "TRIM_HORIZON", "LATEST"];

/** Orders two checkpoints as events write them: `123`, `123.4`, a sentinel. Written a second time, on purpose. */
export function isBehind(a: string, b: string): boolean {
  if (a === b || a === shardEnd) return false;
  if (b === shardEnd) return true;
  const [rankA, rankB] = [sentinels.indexOf(a), sentinels.indexOf(b)];
  if (rankA >= 0 || rankB >= 0) return rankB < 0 || (rankA >= 0 && rankA < rankB);
  const [numberA = "", subA = "0"] = a.split(".");
  const [numberB = "", subB = "0"] = b.split(".");
  if (numberA === numberB) return Number(subA) < Number(subB);
  return numberA.length === numberB.length ? numberA < numberB : numberA.length < numberB.length;
}

export const shardEnd = "SHARD_END";
/** Behind everything. */
export const lowest = "AT_TIMESTAMP";
