// The thread that type-checks a configuration: the compiler's API takes its time, and the evaluation need not wait.
import { existsSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { getLibFiles, libFolderInMemoryPath, ts } from "@ts-morph/common";
import type { RelatedPosition, TsosErrorInit } from "../error/tsos-error.ts";
import { impureNames } from "./impure-names.ts";
import type { TypeCheckData, TypeCheckReply } from "./type-check.ts";

parentPort?.postMessage(typeCheck(workerData as TypeCheckData));

function typeCheck({ file, installation }: TypeCheckData): TypeCheckReply {
  const missing = new Set<string>();
  const { options, declarations, tsconfig, errors } = readOptions(file, installation, missing);
  const host = createHost(options);
  const program = ts.createProgram({ rootNames: [file, ...declarations], options, host });
  const diagnostics: ts.Diagnostic[] = [...errors, ...program.getOptionsDiagnostics()];
  const files: string[] = tsconfig === undefined ? [] : [tsconfig];
  for (const source of program.getSourceFiles()) {
    if (program.isSourceFileDefaultLibrary(source)) continue;
    files.push(source.fileName);
    if (isOwn(source.fileName, installation) || source.fileName.includes("/node_modules/")) continue;
    diagnostics.push(...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source));
  }
  return { files, missing: [...missing], errors: diagnostics.filter((d) => d.category === ts.DiagnosticCategory.Error).map(toError) };
}

/** ts-morph's compiler carries the language's own declarations with it: they are read from memory. */
function createHost(options: ts.CompilerOptions): ts.CompilerHost {
  const libraries = new Map(getLibFiles().map((file) => [`${libFolderInMemoryPath}/${file.fileName}`, file.text]));
  const host = ts.createCompilerHost(options, true);
  return {
    ...host,
    getDefaultLibLocation: () => libFolderInMemoryPath,
    getDefaultLibFileName: (chosen) => `${libFolderInMemoryPath}/${ts.getDefaultLibFileName(chosen)}`,
    fileExists: (name) => libraries.has(name) || host.fileExists(name),
    readFile: (name) => libraries.get(name) ?? host.readFile(name),
    getSourceFile: (name, version, ...rest) => {
      const text = libraries.get(name);
      return text === undefined ? host.getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version, false);
    },
  };
}

/** tsos's sources, which have been checked; its templates and tests are checked like a user's. */
function isOwn(file: string, installation: string): boolean {
  return ["core", "modules", "pkgs", "cli"].some((folder) => file.startsWith(join(installation, folder) + sep));
}

function readOptions(file: string, installation: string, missing: Set<string>) {
  let parsed: ts.ParsedCommandLine | undefined;
  let tsconfig: string | undefined;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const candidate = join(folder, "tsconfig.json");
    if (existsSync(candidate)) {
      tsconfig = candidate;
      parsed = ts.parseJsonConfigFileContent(ts.readConfigFile(candidate, ts.sys.readFile).config ?? {}, ts.sys, folder);
      break;
    }
    missing.add(candidate);
    if (dirname(folder) === folder || existsSync(join(folder, ".git"))) break;
  }
  const base: ts.CompilerOptions = parsed?.options ?? { strict: true, types: [], noUncheckedIndexedAccess: true };
  return {
    tsconfig,
    errors: parsed?.errors.filter((error) => error.code !== NO_INPUTS) ?? [],
    declarations: parsed?.fileNames.filter((name) => name.endsWith(".d.ts")) ?? [],
    options: {
      ...base,
      target: ts.ScriptTarget.ES2023,
      lib: base.lib ?? ["lib.es2023.d.ts"],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      allowImportingTsExtensions: true,
      resolveJsonModule: true,
      noEmit: true,
      skipLibCheck: true,
      incremental: false,
      composite: false,
      // The very tsos that evaluates the file, whatever an editor finds.
      paths: { ...base.paths, tsos: [join(installation, "cli", "tsos.d.ts")] },
    },
  };
}

// "No inputs were found in config file": the configuration itself is the input.
const NO_INPUTS = 18003;

function toError(diagnostic: ts.Diagnostic): TsosErrorInit {
  const related = (diagnostic.relatedInformation ?? []).flatMap((info): RelatedPosition[] => {
    const at = placeOf(info);
    return at === undefined ? [] : [{ ...at, note: lowerFirst(ts.flattenDiagnosticMessageText(info.messageText, "\n")) }];
  });
  const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
  // The compiler would have the user install what makes the name known, and then the evaluation fails.
  const name = /^Cannot find name '(\w+)'/.exec(text)?.[1];
  const instead = name === undefined ? undefined : impureNames.get(name);
  if (instead !== undefined) return { code: "config.impure", message: `"${name}" is not available in a configuration`, hint: instead, at: placeOf(diagnostic) };
  return {
    code: `type.ts${diagnostic.code}`,
    message: shorten(lowerFirst(text)),
    at: placeOf(diagnostic),
    related,
  };
}

function placeOf({ file, start }: Pick<ts.DiagnosticRelatedInformation, "file" | "start">) {
  if (file === undefined || start === undefined) return undefined;
  const { line, character } = file.getLineAndCharacterOfPosition(start);
  return { file: file.fileName, line: line + 1, column: character + 1 };
}

const MAX_WIDTH = 240;
const MAX_LINES = 4;

/** The compiler prints types whole; the first line says what, the last ones say which part. */
function shorten(text: string): string {
  const lines = text.split("\n").map((line) => (line.length > MAX_WIDTH ? `${line.slice(0, MAX_WIDTH)}…` : line));
  return (lines.length > MAX_LINES ? [lines[0], ...lines.slice(1 - MAX_LINES)] : lines).join("\n");
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}
