import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "chai";
import { applicationVersion } from "../../src/runtime/application-version.js";

describe("the application's version", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "leasehold-version-"));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function file(name: string, content: string): string {
    const full = path.join(root, name);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, content);
    return full;
  }

  it("is that of the package.json nearest to the script", () => {
    file("package.json", '{ "version": "1.0.0" }');
    file("app/package.json", '{ "version": "2.3.4-rc.1" }');
    expect(applicationVersion(file("app/dist/main.js", ""))).to.equal("2.3.4-rc.1");
    expect(applicationVersion(file("other/main.js", ""))).to.equal("1.0.0");
  });

  it("is looked for beyond a package.json that names none, as builds put one beside their modules", () => {
    file("package.json", '{ "version": "1.0.0" }');
    file("dist/package.json", '{ "type": "module" }');
    file("dist/esm/package.json", '{ "version": 7 }');
    file("dist/esm/inner/package.json", "{ no JSON");
    expect(applicationVersion(file("dist/esm/inner/main.js", ""))).to.equal("1.0.0");
  });

  it("is a label: what that may not contain becomes a dash, and it ends after 60 characters", () => {
    file("package.json", JSON.stringify({ version: `1.0.0+build.${"7".repeat(80)}` }));
    expect(applicationVersion(file("main.js", ""))).to.equal(`1.0.0-build.${"7".repeat(48)}`);
  });

  it("is that of the package which a command's link points into", () => {
    file("package.json", '{ "version": "1.0.0" }');
    file("node_modules/tool/package.json", '{ "version": "5.0.0" }');
    mkdirSync(path.join(root, "node_modules/.bin"));
    symlinkSync(file("node_modules/tool/cli.js", ""), path.join(root, "node_modules/.bin/tool"));
    expect(applicationVersion(path.join(root, "node_modules/.bin/tool"))).to.equal("5.0.0");
  });

  it("is none without a script, and none where nothing names one", () => {
    expect(applicationVersion(undefined)).to.equal(undefined);
    expect(applicationVersion("/no-such-directory/main.js")).to.equal(undefined);
  });
});
