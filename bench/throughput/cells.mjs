// What is measured: records of three sizes, as many as an answer holds or 500 a call, of few and of many shards.
import { blockSize } from "./canned/records.mjs";

const sizes = { "100B": 100, "1KiB": 1_024, "25KiB": 25 * 1_024 };
const limits = { full: 10_000, 500: 500 };
const shardCounts = [4, 64];

/** { name, recordBytes, limit, size, shards }; `size` is how many records an answer has: 10 MiB are the most. */
export const cells = Object.entries(sizes).flatMap(([sizeName, recordBytes]) =>
  ["full", "500"].flatMap((limitName) =>
    shardCounts.map((shards) => ({
      name: `${sizeName}-${limitName}-${shards}`,
      recordBytes,
      limit: limits[limitName],
      size: blockSize(recordBytes, limits[limitName]),
      shards,
    })),
  ),
);

/** For people: how large a record is, and how many of them an answer has, of how many that were asked for. */
export function shapeText({ cell, size, limit }) {
  const count = (value) => value.toLocaleString("en-US");
  const answer = size === limit ? count(size) : `${count(size)} of ${count(limit)}`;
  return { record: cell.split("-")[0].replace(/(?<=\d)(?=[A-Z])/, " "), answer };
}

/** In the order in which they take turns. */
export const subjectNames = ["bareSdk", "leasehold", "leaseholdZeroCopy", "kcl"];
/** The one that the result's first figures are of. With the two below it is measured first: of these something is promised. */
export const headline = "1KiB-full-4";
export const smallRecords = "100B-full-4";
export const manyShards = "1KiB-full-64";

/** In the order in which they are measured, so that a run that is broken off has those that matter. */
export function inTurn(wanted) {
  const judged = [headline, manyShards, smallRecords];
  const isJudged = ({ name }) => judged.includes(name);
  return [...wanted.filter(isJudged), ...wanted.filter((cell) => !isJudged(cell))];
}
