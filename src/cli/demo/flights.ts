import { readFileSync } from "node:fs";
import path from "node:path";

/** One row of the input: a domestic flight in the US. */
export interface Flight {
  readonly origin: string;
  /** Minutes late at arrival; negative when early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
}

export interface FlightData {
  /** Where it is from, for people. */
  readonly source: string;
  readonly flights: readonly Flight[];
}

const dataFile = "vega-datasets/data/flights-20k.json";

/**
 * The flights of `vega-datasets` where that package is installed beside this one; otherwise as many made-up ones, the
 * same at every run.
 */
export function loadFlights(): FlightData {
  const file = findInNodeModules(import.meta.dirname, dataFile);
  if (file === undefined) return { source: "generated flights", flights: generateFlights(20_000) };
  const flights = (JSON.parse(file) as readonly Flight[]).map(({ origin, delay, distance }) => ({
    origin,
    delay,
    distance,
  }));
  return { source: `vega-datasets, flights-20k.json`, flights };
}

/** By path, because the package's `exports` hide the folder. */
function findInNodeModules(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = path.dirname(folder)) {
    try {
      return readFileSync(path.join(folder, "node_modules", name), "utf8");
    } catch {
      if (folder === path.dirname(folder)) return undefined;
    }
  }
}

const airports = ["ATL", "BWI", "DEN", "DFW", "HOU", "LAS", "LAX", "MDW", "OAK", "PHX", "SAN", "SEA"];

function generateFlights(count: number): readonly Flight[] {
  // A linear congruential generator: the input must be the same at every run, so that the books can be compared.
  let state = 20_010_101;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return Array.from({ length: count }, () => ({
    origin: airports[below(airports.length)] ?? "ATL",
    delay: below(180) - 30,
    distance: 100 + below(2_500),
  }));
}
