import type { InvariantName, Report } from "../../src/testing/violation.js";

/** Collects what checks report: `names` for comparing, `says` for reading. */
export function collectReports(): {
  readonly report: Report;
  readonly names: InvariantName[];
  readonly says: string[];
} {
  const names: InvariantName[] = [];
  const says: string[] = [];
  return {
    names,
    says,
    report: (invariant, what) => {
      names.push(invariant);
      says.push(what);
    },
  };
}
