// The pictures of the fleet's figures: axes, dots or lines, a legend.
import { blue, circle, grey, line, logAxis, orange, pale, picture, text } from "../svg.mjs";

/**
 * One row a scenario, one line a run, on a log axis of seconds.
 * @param rows { name, ms: number[], limitMs, kclMs: [from, to] | undefined }
 */
export function timesPlot(title, rows) {
  const [width, left, right, top] = [860, 200, 30, 78];
  const [runHeight, padding] = [7, 20];
  const heightOf = ({ ms }) => ms.length * runHeight + padding;
  const bottom = top + rows.reduce((sum, it) => sum + heightOf(it), 0);
  // A run faster than the axis begins would be drawn over the row's name.
  const fastest = Math.min(...rows.flatMap(({ ms }) => ms)) / 1_000;
  const axis = logAxis(Math.min(0.5, fastest / 1.3), 250, left, width - right);
  const parts = [text(16, 26, title, { size: 16, weight: "bold" })];
  let x = 16;
  for (const [draw, label] of [
    [
      (at) => line(at, 46, at + 16, 46, { stroke: blue, width: 1.5 }) + circle(at + 16, 46, blue, 3),
      "a run of Leasehold",
    ],
    [(at) => line(at + 9, 39, at + 9, 53, { stroke: orange, width: 2 }), "what is promised"],
    [
      (at) => line(at, 46, at + 18, 46, { stroke: grey, width: 7 }),
      "Java KCL 3.5.1 (where from: see the text)",
    ],
  ]) {
    parts.push(draw(x), text(x + 26, 50, label));
    x += 46 + label.length * 6.8;
  }
  for (const tick of axis.ticks) {
    const at = axis.place(tick);
    parts.push(
      line(at, top, at, bottom, { stroke: pale }),
      text(at, bottom + 18, tick, { anchor: "middle" }),
    );
  }
  parts.push(text((left + width - right) / 2, bottom + 40, "seconds (logarithmic)", { anchor: "middle" }));
  let from = top;
  for (const each of rows) {
    parts.push(timesRow(each, { left, right: width - right, from, height: heightOf(each), runHeight, axis }));
    from += heightOf(each);
  }
  parts.push(line(left, bottom, width - right, bottom), line(left, top, left, bottom));
  return picture(width, bottom + 54, title, parts);
}

function timesRow({ name, ms, limitMs, kclMs }, { left, right, from, height, runHeight, axis }) {
  const middle = from + height / 2;
  const parts = [
    text(left - 12, middle + 4, name, { anchor: "end" }),
    line(left, from + height, right, from + height, { stroke: pale }),
  ];
  if (kclMs !== undefined) {
    const [least, most] = kclMs.map((value) => axis.place(value / 1_000));
    parts.push(line(least - 3, middle, most + 3, middle, { stroke: grey, width: 7 }));
  }
  const limit = axis.place(limitMs / 1_000);
  parts.push(line(limit, from + 5, limit, from + height - 5, { stroke: orange, width: 2 }));
  ms.forEach((value, run) => {
    const y = middle + (run - (ms.length - 1) / 2) * runHeight;
    const end = axis.place(value / 1_000);
    parts.push(line(left, y, end, y, { stroke: blue, width: 1.5 }), circle(end, y, blue, 3));
  });
  return parts.join("\n");
}

/**
 * Lines over numbers of leases, both axes logarithmic.
 * @param series { name, colour, dash, points: [leases, units][] }
 */
export function costPlot(title, series) {
  const [width, height, left, right, top, foot] = [860, 420, 80, 30, 106, 60];
  const bottom = height - foot;
  const counts = series.flatMap(({ points }) => points.map(([leases]) => leases));
  const units = series.flatMap(({ points }) => points.map(([, value]) => value));
  const x = logAxis(Math.min(...counts) / 1.3, Math.max(...counts) * 1.3, left, width - right);
  const y = logAxis(Math.min(...units) / 1.6, Math.max(...units) * 1.6, bottom, top);
  const parts = [text(16, 26, title, { size: 16, weight: "bold" })];
  series.forEach(({ name, colour, dash = "" }, i) => {
    const [at, down] = [16 + (i % 2) * 420, 50 + Math.floor(i / 2) * 22];
    parts.push(
      line(at, down - 4, at + 28, down - 4, { stroke: colour, width: 2.5, dash }),
      text(at + 36, down, name),
    );
  });
  for (const count of [...new Set(counts)].sort((a, b) => a - b)) {
    const at = x.place(count);
    parts.push(
      line(at, top, at, bottom, { stroke: pale }),
      text(at, bottom + 18, count, { anchor: "middle" }),
    );
  }
  for (const tick of y.ticks) {
    const at = y.place(tick);
    parts.push(line(left, at, width - right, at, { stroke: pale }));
    parts.push(text(left - 8, at + 4, tick.toLocaleString("en-US"), { anchor: "end" }));
  }
  parts.push(text((left + width - right) / 2, bottom + 42, "leases (logarithmic)", { anchor: "middle" }));
  parts.push(text(16, top - 10, "capacity units a minute (logarithmic)"));
  for (const { colour, dash = "", points } of series) {
    for (let i = 1; i < points.length; i++) {
      const [[x1, y1], [x2, y2]] = [points[i - 1], points[i]];
      parts.push(
        line(x.place(x1), y.place(y1), x.place(x2), y.place(y2), { stroke: colour, width: 2.5, dash }),
      );
    }
    for (const [count, value] of points) parts.push(circle(x.place(count), y.place(value), colour));
  }
  parts.push(line(left, bottom, width - right, bottom), line(left, top, left, bottom));
  return picture(width, height, title, parts);
}
