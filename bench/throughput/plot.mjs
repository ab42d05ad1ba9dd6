// The picture of the throughput: in every cell, how many times as many records a CPU second as the bare SDK loop.
import { bar, blue, grey, ink, line, orange, pale, picture, sky, text } from "../svg.mjs";

const bars = [
  { name: "leasehold", label: "Leasehold", colour: blue },
  { name: "leaseholdZeroCopy", label: "Leasehold, zeroCopy", colour: sky },
  { name: "kcl", label: "Java KCL 3.5.1", colour: orange },
];
const [width, left, right, top] = [860, 190, 60, 84];
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
  const [bytes] = cell.cell.split("-");
  const name = `${bytes.replace(/(?<=\d)(?=[A-Z])/, " ")} × ${cell.size.toLocaleString("en-US")}, ${cell.shards} shards`;
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
