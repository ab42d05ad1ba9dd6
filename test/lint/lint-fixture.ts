import { ESLint } from "eslint";
import tseslint from "typescript-eslint";

/** A violation as the tests see it: where, and which rule. */
export interface Violation {
  readonly line: number;
  readonly rule: string;
}

// The project's own configuration, less the rules that ask the compiler: it refuses files that do not exist.
const eslint = new ESLint({
  cwd: new URL("../..", import.meta.url).pathname,
  overrideConfig: [{ files: ["**/*.ts"], ...tseslint.configs.disableTypeChecked }],
});

/** Lints `lines` as if they were the file at `filePath`. A line the parser refuses fails the test. */
export async function lintFixture(filePath: string, lines: readonly string[]): Promise<Violation[]> {
  const [result] = await eslint.lintText(lines.join("\n") + "\n", { filePath });
  if (result === undefined) throw new Error(`${filePath} is not linted at all`);
  return result.messages.map(({ line, ruleId, message }) => {
    if (ruleId === null) throw new Error(`${filePath}:${line} ${message}`);
    return { line, rule: ruleId };
  });
}

/** The 1-based numbers of the lines on which one of `rules` fired. */
export function linesOf(violations: readonly Violation[], rules: readonly string[]): number[] {
  const lines = violations.filter(({ rule }) => rules.includes(rule)).map(({ line }) => line);
  return [...new Set(lines)].sort((a, b) => a - b);
}
