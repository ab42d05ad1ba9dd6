"use strict";

const path = require("node:path");

/**
 * The resolver for the import table. It answers from the name alone: the rule needs to know which room a path
 * lies in, not whether the file is there (the compiler says that), and so fixtures need no files.
 */
module.exports = {
  interfaceVersion: 2,
  resolve(source, file) {
    if (!source.startsWith(".")) return { found: true, path: null };
    return { found: true, path: path.resolve(path.dirname(file), source).replace(/\.js$/, ".ts") };
  },
};
