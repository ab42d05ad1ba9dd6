import path from "node:path";
import { format, resolveConfig } from "prettier";

const page = path.join(import.meta.dirname, "../docs/benchmarks.md");

/** As the rest of the repository is formatted. */
export async function pretty(text, parser) {
  return format(text, { ...(await resolveConfig(page)), parser });
}
