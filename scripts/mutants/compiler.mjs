// The compiler over what a mutant changed, and over the files that import it; all else is as `npm test` has seen it.
import path from "node:path";
import ts from "typescript";

export class Compiler {
  #root;
  #options;
  #names;
  #sources = new Map();
  #last;

  constructor(root) {
    this.#root = root;
    const { config } = ts.readConfigFile(path.join(root, "tsconfig.build.json"), ts.sys.readFile);
    const parsed = ts.parseJsonConfigFileContent(config, ts.sys, root);
    this.#options = { ...parsed.options, noEmit: true };
    this.#names = parsed.fileNames;
  }

  /**
   * @param changed file names below the root, with their new text
   * @returns what the compiler says
   */
  check(changed) {
    const texts = new Map([...changed].map(([name, text]) => [path.join(this.#root, name), text]));
    const program = this.#program(texts);
    const found = program
      .getSourceFiles()
      .filter((file) => texts.has(file.fileName) || importsOf(file).some((name) => texts.has(name)))
      .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]);
    return found.map(({ file, start, messageText }) => {
      const line = String(file.getLineAndCharacterOfPosition(start).line + 1);
      const name = path.relative(this.#root, file.fileName);
      return `${name}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
  }

  #program(texts) {
    const host = ts.createCompilerHost(this.#options);
    const { readFile, getSourceFile } = host;
    host.readFile = (name) => texts.get(name) ?? readFile(name);
    // Parsed once and for all, but for what this mutant changed.
    host.getSourceFile = (name, ...rest) => {
      if (texts.has(name)) return getSourceFile(name, ...rest);
      if (!this.#sources.has(name)) this.#sources.set(name, getSourceFile(name, ...rest));
      return this.#sources.get(name);
    };
    this.#last = ts.createProgram(this.#names, this.#options, host, this.#last);
    return this.#last;
  }
}

function importsOf(file) {
  if (file.isDeclarationFile) return [];
  return ts
    .preProcessFile(file.text)
    .importedFiles.filter(({ fileName }) => fileName.startsWith("."))
    .map(({ fileName }) => path.join(path.dirname(file.fileName), fileName.replace(/\.js$/, ".ts")));
}
