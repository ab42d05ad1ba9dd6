import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";

const root = path.join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const sourceOf = (built: string) => built.replace("./dist/", "src/").replace(/(\.d\.ts|\.js)$/, ".ts");

interface Manifest {
  readonly license: string;
  readonly bin: Record<string, string>;
  readonly files: readonly string[];
  readonly exports: Record<string, string | Record<string, string>>;
}
const manifest = JSON.parse(read("package.json")) as Manifest;

const foreign = new Set(["node_modules", "dist", "coverage", ".git", ".cache"]);

/** All files of the project under `folder`, as paths from its root; what was installed or built is not its own. */
function filesUnder(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) return foreign.has(entry.name) ? [] : filesUnder(name);
    return entry.isFile() ? [name] : [];
  });
}

describe("the package", () => {
  it("offers its API and its testing tools, each with types, and nothing else of its inside", () => {
    expect(Object.keys(manifest.exports)).to.deep.equal([".", "./testing", "./package.json"]);
    for (const entry of [".", "./testing"]) {
      const conditions = manifest.exports[entry] as Record<string, string>;
      expect(Object.keys(conditions), "types come first, or they are not found").to.deep.equal([
        "types",
        "default",
      ]);
      for (const target of Object.values(conditions)) {
        expect(existsSync(path.join(root, sourceOf(target))), target).to.equal(true);
      }
    }
  });

  it("has a source for its command", () => {
    expect(existsSync(path.join(root, sourceOf(`./${manifest.bin["leasehold"] ?? ""}`)))).to.equal(true);
  });

  it("carries the licence that it names", () => {
    expect(manifest.license).to.equal("Apache-2.0");
    expect(read("LICENSE")).to.match(/Apache License\s+Version 2\.0, January 2004/);
  });

  it("carries every file that a page in it links to", () => {
    // npm packs these by itself.
    const packed = ["package.json", "README.md", "LICENSE", ...manifest.files];
    const isPacked = (file: string) =>
      packed.some((entry) => file === entry || file.startsWith(`${entry}/`)) &&
      existsSync(path.join(root, file));
    const pages = filesUnder(".").filter((file) => file.endsWith(".md") && isPacked(file));
    expect(pages).to.include.members(["README.md", "docs/integration-tests.md"]);
    const dead = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map(([, target]) => path.posix.join(path.posix.dirname(page), target ?? ""))
        .filter((file) => !isPacked(file))
        .map((file) => `${page}: ${file}`),
    );
    expect(dead).to.deep.equal([]);
  });

  it("locks its dependencies without naming a registry", () => {
    expect(read("package-lock.json")).not.to.include('"resolved"');
    expect(read(".npmrc")).to.include("omit-lockfile-registry-resolved=true");
  });

  it("lets every source file be imported, which is also how coverage comes to see them all", async () => {
    // Programs run when they are imported; the rooms that hold them are outside the coverage bar.
    const programs = /^src\/(cli|embedded)\//;
    const files = filesUnder("src").filter((file) => file.endsWith(".ts") && !programs.test(file));
    for (const file of files) {
      const loaded: unknown = await import(pathToFileURL(path.join(root, file)).href);
      expect(loaded, file).to.not.equal(undefined);
    }
    expect(files).not.to.be.empty;
  });

  it("stands alone: no file speaks of a folder beside the checkout", () => {
    const outside = ["..", "shared"].join("/");
    const guilty = filesUnder(".").filter((file) => read(file).includes(outside));
    expect(guilty).to.deep.equal([]);
  });
});
