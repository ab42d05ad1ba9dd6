import type { PlannerRow } from "../../model/worker-row.js";
import type { Call, WriteOutcome } from "../call.js";
import type { PlannerDesk } from "../planner-desk.js";
import type { DynamoDbConnection } from "./connection.js";
import { Expression } from "./expression.js";
import { plannerIn, plannerKey } from "./fleet-codec.js";

export class DynamoDbPlannerDesk implements PlannerDesk {
  readonly #connection: DynamoDbConnection;

  constructor(connection: DynamoDbConnection) {
    this.#connection = connection;
  }

  claim(owner: string, epoch: number | undefined, call?: Call): Promise<WriteOutcome<PlannerRow>> {
    const seen = epoch ?? 0;
    // An update, never a put: the count of deaths beside it stays.
    const update = new Expression().set("owner", { S: owner }).set("epoch", { N: String(seen + 1) });
    // Two who claim on the same reading: one of them only. A row that only counts deaths has no epoch and reads as 0.
    if (seen === 0) update.requireAbsent("epoch");
    else update.requireEqual("epoch", { N: String(seen) });
    const { fleetTable } = this.#connection;
    return this.#connection.update(
      fleetTable,
      plannerKey,
      update,
      `claim planning for ${owner}`,
      plannerIn,
      call,
    );
  }

  async countDeath(call?: Call): Promise<void> {
    const update = new Expression().add("deaths", 1);
    const { fleetTable } = this.#connection;
    await this.#connection.update(fleetTable, plannerKey, update, "count a death", plannerIn, call);
  }
}
