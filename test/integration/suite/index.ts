import { fleetCases } from "./fleet.js";
import type { Place } from "./place.js";

/**
 * Registers the integration suite with mocha, for one place.
 * @param open starts the place's servers, or finds them running
 */
export function integrationSuite(name: string, open: () => Promise<Place>): void {
  describe(`the integration suite on ${name}`, () => {
    let place: Place;

    before(async function () {
      // The first run on a machine may fetch and install what it needs.
      this.timeout(1_200_000);
      place = await open();
    });

    after(async function () {
      this.timeout(60_000);
      await place.stop();
    });

    fleetCases(() => place);
  });
}
