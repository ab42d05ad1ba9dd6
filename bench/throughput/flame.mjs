// A flame graph as SVG, of a `.cpuprofile` of V8's: who calls whom from top to bottom, as wide as it takes of the busy time.
import { readFileSync } from "node:fs";
import { escape, ink, picture, text } from "../svg.mjs";

const width = 1_180;
const margin = 10;
const rowHeight = 17;
/** Narrower ones are left out: nobody could point at them. */
const leastWidth = 0.5;
const characterWidth = 6.4;
const topOfLegend = 50;

/** Whose code a frame is, by where it stands; the first that matches. */
const owners = [
  { name: "the processor", colour: "#009e73", pattern: /\/bench\/throughput\/subjects\// },
  { name: "Leasehold", colour: "#56b4e9", pattern: /\/dist\// },
  { name: "AWS SDK", colour: "#e69f00", pattern: /\/node_modules\/(@aws-sdk|@smithy|@aws-crypto|@aws)\// },
  { name: "other packages", colour: "#f0e442", pattern: /\/node_modules\// },
  { name: "Node", colour: "#c9c9c9", pattern: /^node:/ },
  { name: "V8, the system, garbage collection", colour: "#e8a6c8", pattern: /^/ },
];

/** Time in which there was nothing to do. */
const idle = "(idle)";
const root = "(root)";

/** @returns the tree of frames: { label, owner, micros, children: Map }, equal callees of one caller being one */
export function fold({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const top = frame("all of the busy time", owners.at(-1));
  samples.forEach((id, i) => {
    const path = [];
    for (let at = id; at !== undefined; at = parents.get(at)) path.unshift(byId.get(at).callFrame);
    if (path.at(-1).functionName === idle || path.some(isProfiler)) return;
    let at = top;
    at.micros += timeDeltas[i];
    for (const call of path) {
      if (call.functionName === root) continue;
      const label = labelOf(call);
      let next = at.children.get(label);
      if (next === undefined) at.children.set(label, (next = frame(label, ownerOf(call))));
      next.micros += timeDeltas[i];
      at = next;
    }
  });
  return top;
}

/** What the profile itself takes is no part of the work. */
const isProfiler = ({ url }) => url.startsWith("node:inspector") || url.endsWith("/profile.mjs");
const frame = (label, owner) => ({ label, owner, micros: 0, children: new Map() });
const ownerOf = ({ url }) => owners.find(({ pattern }) => pattern.test(url));

/** Without the folders of this machine. */
function labelOf({ functionName, url, lineNumber }) {
  const name = functionName === "" ? "(anonymous)" : functionName;
  if (url === "") return name;
  const file = url.replace(/^.*\/node_modules\//, "").replace(/^file:.*?\/(dist|bench)\//, "$1/");
  return `${name} ${file}:${lineNumber + 1}`;
}

export function flamePicture(title, file) {
  const top = fold(JSON.parse(readFileSync(file, "utf8")));
  const scale = (width - 2 * margin) / top.micros;
  const parts = [text(margin, 26, title, { size: 16, weight: "bold" })];
  let x = margin;
  for (const { name, colour } of owners) {
    parts.push(
      `<rect x="${x}" y="${topOfLegend - 10}" width="12" height="12" fill="${colour}"/>`,
      text(x + 17, topOfLegend, name),
    );
    x += 40 + name.length * 6.8;
  }
  const firstRow = topOfLegend + 18;
  let depth = 0;
  const draw = (node, left, row) => {
    const wide = node.micros * scale;
    if (wide < leastWidth) return;
    depth = Math.max(depth, row + 1);
    parts.push(box(node, left, firstRow + row * rowHeight, wide, node.micros / top.micros));
    const callees = [...node.children.values()].sort((a, b) => b.micros - a.micros);
    for (const callee of callees) {
      draw(callee, left, row + 1);
      left += callee.micros * scale;
    }
  };
  draw(top, margin, 0);
  return picture(width, firstRow + depth * rowHeight + margin, title, parts);
}

function box({ label, owner, micros }, left, y, wide, share) {
  const letters = Math.floor((wide - 6) / characterWidth);
  const short = label.length <= letters ? label : `${label.slice(0, Math.max(0, letters - 1))}…`;
  const shown = letters < 4 ? "" : text(left + 3, y + 12, short, { size: 11, fill: ink });
  const title = `${label}: ${(share * 100).toFixed(1)} %, ${(micros / 1_000).toFixed(0)} ms`;
  return `<g><title>${escape(title)}</title><rect x="${left.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${rowHeight - 1}" fill="${owner.colour}" stroke="white" stroke-width="0.4"/>${shown}</g>`;
}
