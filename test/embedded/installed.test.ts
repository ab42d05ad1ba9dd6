import { existsSync } from "node:fs";
import { expect } from "chai";
import { checkEmulators, emulatorModule } from "../../src/embedded/installed.js";

describe("the emulators' packages", () => {
  const onlyDynalite = (module: string): string => {
    if (module === "dynalite") return module;
    throw new Error("Cannot find module");
  };

  it("are found where they are installed", () => {
    checkEmulators(["kinesis-local", "dynalite"]);
    expect(existsSync(emulatorModule("kinesis-local"))).to.be.true;
  });

  it("are named with what installs them, all that are missing at once", () => {
    const none = (): never => onlyDynalite("none") as never;
    expect(() => checkEmulators(["kinesis-local", "dynalite"], none)).to.throw(
      "kinesis-local and dynalite are not installed: run `npm install kinesis-local dynalite`",
    );
    expect(() => checkEmulators(["kinesis-local", "dynalite"], onlyDynalite)).to.throw(
      "kinesis-local is not installed: run `npm install kinesis-local`",
    );
  });
});
