// Tables of docs/benchmarks.md.

export const row = (...cells) => `| ${cells.join(" | ")} |`;

/** What it was measured on, as `describeRig` found it. */
export function surroundings({ machine, versions }) {
  return `${row("", "")}
${row("---", "---")}
${row("processor", `${machine.cpu}, ${machine.cores} cores`)}
${row("memory", `${machine.memoryGiB} GiB`)}
${row("system", machine.system)}
${Object.entries(versions)
  .map(([name, version]) => row(name, version))
  .join("\n")}`;
}
