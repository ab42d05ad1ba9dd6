// The pictures of the throughput: how every cell stands to the bare SDK loop, and how options change what a worker does.
import { shapeText } from "./cells.mjs";
import { bar, blue, circle, grey, ink, line, orange, pale, picture, sky, text } from "../svg.mjs";

const bars = [
  { name: "leasehold", label: "Leasehold", colour: blue },
  { name: "leaseholdZeroCopy", label: "Leasehold, zeroCopy", colour: sky },
  { name: "kcl", label: "Java KCL 3.5.1", colour: orange },
];
const [width, left, right, top] = [860, 230, 60, 84];
const [thickness, padding] = [9, 14];

export function ratioPlot(title, cells) {
  const shown = cells.filter(({ bareSdk }) => bareSdk !== null);
  const height = bars.length * thickness + padding;
  const bottom = top + shown.length * height;
  const most = Math.max(
    1,
    ...shown.flatMap((cell) => bars.map(({ name }) => (cell[name]?.spread[1] ?? 0) / base(cell))),
  );
  const place = (ratio) => left + (ratio / Math.ceil(most)) * (width - left - right);
  const parts = [text(16, 26, title, { size: 16, weight: "bold" })];
  let x = 16;
  for (const { label, colour } of bars) {
    parts.push(bar(x, 41, 18, thickness, colour), text(x + 26, 50, label));
    x += 50 + label.length * 6.8;
  }
  parts.push(line(x, 46, x + 18, 46, { stroke: ink }), text(x + 26, 50, "least to most of the rounds"));
  for (let ratio = 0; ratio <= Math.ceil(most); ratio++) {
    const at = place(ratio);
    parts.push(line(at, top, at, bottom, { stroke: ratio === 1 ? grey : pale, width: ratio === 1 ? 2 : 1 }));
    parts.push(text(at, bottom + 18, `${ratio} ×`, { anchor: "middle" }));
  }
  shown.forEach((cell, i) => parts.push(...rowOf(cell, top + i * height + padding / 2, place)));
  parts.push(line(left, bottom, width - right, bottom), line(left, top, left, bottom));
  return picture(width, bottom + 34, title, parts);
}

const base = (cell) => cell.bareSdk.recordsPerCpuSecond;

function rowOf(cell, from, place) {
  const { record, answer } = shapeText(cell);
  const name = `${record} × ${answer}, ${cell.shards} shards`;
  const parts = [text(left - 12, from + (bars.length * thickness) / 2 + 4, name, { anchor: "end" })];
  bars.forEach(({ name, colour }, i) => {
    const subject = cell[name];
    if (!subject) return;
    const y = from + i * thickness;
    const ratio = subject.recordsPerCpuSecond / base(cell);
    const [least, most] = subject.spread.map((value) => place(value / base(cell)));
    parts.push(
      bar(left, y, place(ratio) - left, thickness - 1, colour),
      line(least, y + thickness / 2, most, y + thickness / 2),
      text(Math.max(most, place(ratio)) + 5, y + thickness - 1, ratio.toFixed(1), { size: 9 }),
    );
  });
  return parts;
}

const panel = { width: 420, height: 250, left: 70, right: 24, top: 62, foot: 44 };
const figureNames = {
  recordsPerCpuSecond: ["thousands of records a CPU second", 1_000],
  recordsPerSecond: ["thousands of records a second", 1_000],
  residentBytes: ["MiB resident", 2 ** 20],
};

/** One small plot for each figure of each curve. @param drawn { title, figure, about, points: { value, median, spread }[] } */
export function curvesPlot(title, drawn) {
  const parts = [text(16, 26, title, { size: 16, weight: "bold" })];
  drawn.forEach((each, i) => {
    const [x, y] = [(i % 2) * panel.width, 40 + Math.floor(i / 2) * panel.height];
    parts.push(`<g transform="translate(${x} ${y})">`, ...panelOf(each), "</g>");
  });
  return picture(2 * panel.width, 40 + Math.ceil(drawn.length / 2) * panel.height, title, parts);
}

function panelOf({ title, figure, about, points }) {
  const { width, height, left, right, top, foot } = panel;
  const bottom = height - foot;
  const [unit, scale] = figureNames[figure];
  const most = Math.max(...points.map(({ spread }) => spread[1])) / scale;
  const step = stepOf(most);
  const end = Math.ceil(most / step) * step;
  const up = (value) => bottom - (value / scale / end) * (bottom - top);
  const along = (i) => left + ((i + 0.5) / points.length) * (width - left - right);
  const parts = [
    text(16, 18, title, { weight: "bold" }),
    text(16, 34, about, { size: 11, fill: grey }),
    text(16, 52, unit, { size: 11 }),
  ];
  for (let tick = 0; tick <= end; tick += step) {
    const y = up(tick * scale);
    parts.push(line(left, y, width - right, y, { stroke: pale }));
    parts.push(text(left - 8, y + 4, tick.toLocaleString("en-US"), { anchor: "end", size: 11 }));
  }
  points.forEach(({ value, median, spread }, i) => {
    const x = along(i);
    if (i > 0)
      parts.push(line(along(i - 1), up(points[i - 1].median), x, up(median), { stroke: blue, width: 2 }));
    parts.push(
      line(x, up(spread[0]), x, up(spread[1]), { stroke: blue, width: 1 }),
      circle(x, up(median), blue),
      text(x, bottom + 16, value.toLocaleString("en-US"), { anchor: "middle", size: 11 }),
    );
  });
  return [...parts, line(left, bottom, width - right, bottom), line(left, top, left, bottom)];
}

/** Between ticks: 1, 2 or 5 times a power of ten, so that there are about five. */
function stepOf(most) {
  const power = 10 ** Math.floor(Math.log10(most / 5));
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => most / step <= 6);
}
