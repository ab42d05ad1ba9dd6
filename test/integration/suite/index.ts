import { badInputCases } from "./bad-input.js";
import { builtTesting } from "../../support/built.js";
import { capabilityCases } from "./capabilities.js";
import { exampleCases } from "./example.js";
import { fleetCases } from "./fleet.js";
import { leaseCases } from "./leases.js";
import type { Place } from "./place.js";
import { tableCases } from "./tables.js";

/**
 * Registers the integration suite with mocha, for one place.
 * @param open starts the place's servers, or finds them running
 */
export function integrationSuite(name: string, open: () => Promise<Place>): void {
  describe(`the integration suite on ${name}`, () => {
    let place: Place | undefined;

    before(async function () {
      // The first run on a machine may fetch and install what it needs.
      this.timeout(1_200_000);
      await builtTesting();
      place = await open();
    });

    after(async function () {
      this.timeout(60_000);
      await place?.stop();
    });

    const opened = (): Place => {
      if (place === undefined) throw new Error(`${name} was not opened`);
      return place;
    };
    tableCases(opened);
    capabilityCases(opened);
    leaseCases(opened);
    fleetCases(opened);
    badInputCases(opened);
    exampleCases(opened);
  });
}
