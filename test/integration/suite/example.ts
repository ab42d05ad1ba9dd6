import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Place } from "./place.js";

const example = fileURLToPath(new URL("../../../docs/examples/orders.test.mjs", import.meta.url));

/** The test that the documentation shows to users, run as they would. */
export function exampleCases(place: () => Place): void {
  describe("the example of docs/integration-tests.md", function () {
    this.timeout(180_000);

    it("passes", async () => {
      const { dynamodb, kinesis } = place().endpoints;
      const child = spawn(process.execPath, ["--test", "--test-reporter=tap", example], {
        env: {
          PATH: process.env["PATH"],
          DYNAMODB_ENDPOINT: dynamodb,
          KINESIS_ENDPOINT: kinesis,
          NODE_NO_WARNINGS: "1",
        },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 170_000,
        killSignal: "SIGKILL",
      });
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
      const code = await new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
      });
      expect(code, output).to.equal(0);
      expect(output).to.match(/^# pass 4$/m);
      expect(output).to.match(/^# skipped 0$/m);
    });
  });
}
