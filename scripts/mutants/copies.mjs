// Private copies of the tree, in which mutants live: the checkout is never touched.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";

const parts = ["src", "test", "package.json", "tsconfig.json"];

export class Copies {
  #root;
  #folder;

  /** Below the root, so that packages are found; in a place of its own for each run. */
  constructor(root) {
    this.#root = root;
    const home = path.join(root, ".cache/mutants");
    mkdirSync(home, { recursive: true });
    this.#folder = mkdtempSync(path.join(home, "run-"));
  }

  /** A copy of the sources as they are, in the place of the last one of that name. */
  make(name) {
    const copy = path.join(this.#folder, name);
    rmSync(copy, { recursive: true, force: true });
    for (const part of parts) {
      cpSync(path.join(this.#root, part), path.join(copy, part), { recursive: true });
    }
    return copy;
  }

  remove() {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
