// What the benches' pictures are drawn of, as SVG text. Colours that the colour-blind can tell apart, on white.

const font = `font-family="system-ui, sans-serif"`;
export const ink = "#222222";
export const pale = "#dddddd";
export const grey = "#8c8c8c";
export const blue = "#0072b2";
export const orange = "#d55e00";
export const green = "#009e73";
export const sky = "#56b4e9";

export const escape = (content) =>
  String(content).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const round = (value) => Math.round(value * 10) / 10;

export const text = (x, y, content, { anchor = "start", size = 12, fill = ink, weight = "normal" } = {}) =>
  `<text x="${round(x)}" y="${round(y)}" ${font} font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}">${escape(content)}</text>`;

export const line = (x1, y1, x2, y2, { stroke = ink, width = 1, dash = "" } = {}) =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}" stroke-width="${width}"${dash === "" ? "" : ` stroke-dasharray="${dash}"`}/>`;

export const circle = (x, y, fill, radius = 4) =>
  `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${fill}" fill-opacity="0.75" stroke="white" stroke-width="0.7"/>`;

export const bar = (x, y, width, height, fill) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"/>`;

/** The whole picture; `label` is what it says to those who cannot see it. */
export function picture(width, height, label, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(label)}">
<rect width="${width}" height="${height}" fill="white"/>
${parts.join("\n")}
</svg>
`;
}

/** A log axis from `least` to `most`: the place of a value, and ticks at 1, 2 and 5 times each power of ten. */
export function logAxis(least, most, from, to) {
  const place = (value) =>
    from + ((Math.log(value) - Math.log(least)) / (Math.log(most) - Math.log(least))) * (to - from);
  const ticks = [];
  for (let power = -3; power <= 6; power++) {
    for (const digit of [1, 2, 5]) {
      const value = digit * 10 ** power;
      if (value >= least && value <= most) ticks.push(Number(value.toPrecision(1)));
    }
  }
  return { place, ticks };
}
