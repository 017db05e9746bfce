// The thread that type-checks a configuration: the compiler's API takes its time, and the evaluation need not wait.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import { ts } from "@ts-morph/common";
import { createCompilerHost, type CompilerSystem } from "./compiler-host.ts";
import { declarationsEntry } from "./declarations/declarations-folder.ts";
import { ensureDeclarations } from "./declarations/ensure-declarations.ts";
import { explainDiagnostic } from "./explain-diagnostic.ts";
import { findProject } from "./find-project.ts";
import { findTracked, hashFolder, readTracked, recheckReads, type FileRead } from "./file-read.ts";
import type { TypeCheckData, TypeCheckReply } from "./type-check.ts";

/** What a check leaves to the next one of the same configuration. */
class Checker {
  readonly #data: TypeCheckData;
  #sources: readonly string[] | undefined;
  #program: ts.Program | undefined;
  #options: ts.CompilerOptions | undefined;
  /** What was looked for and not there, or seen through a link, when modules were looked for last. */
  #lookups: readonly FileRead[] = [];
  readonly #parsed = new Map<string, { readonly text: string; readonly source: ts.SourceFile }>();

  constructor(data: TypeCheckData) {
    this.#data = data;
  }

  async check(inputModules: readonly string[]): Promise<TypeCheckReply> {
    const { file, installation } = this.#data;
    // tsos itself stays as it is while a configuration is watched.
    this.#sources ??= ensureDeclarations(installation);
    const { system, reads } = createTrackedSystem();
    const { options: read, declarations, errors } = readOptions(file, installation, system);
    // The same object tells the compiler that nothing has to be resolved anew.
    const options = (this.#options = this.#options !== undefined && isDeepStrictEqual(this.#options, read) ? this.#options : read);
    const host = this.#keepParsed(createCompilerHost(options, system));
    // The compiler takes from its last program where modules are, also of those that were nowhere. As it then asks less, what
    // it asked before counts on.
    const areLookupsSame = (await recheckReads(this.#lookups, () => Promise.reject(new Error("a tree is not looked up")))) !== undefined;
    if (!areLookupsSame) this.#program = undefined;
    const program = ts.createProgram({ rootNames: [file, ...inputModules, ...declarations], options, host, ...(this.#program === undefined ? {} : { oldProgram: this.#program }) });
    this.#program = program;
    for (const read of areLookupsSame ? this.#lookups : []) if (!reads.has(keyOf(read))) reads.set(keyOf(read), read);
    this.#lookups = [...reads.values()].filter(({ kind }) => kind !== "file");
    return diagnose(program, { installation, errors, reads: [...reads.values()], sources: this.#sources });
  }

  // A file whose text is the same is not parsed and bound again.
  #keepParsed(host: ts.CompilerHost): ts.CompilerHost {
    return {
      ...host,
      getSourceFile: (name, version) => {
        const text = host.readFile(name);
        if (text === undefined) return undefined;
        const known = this.#parsed.get(name);
        if (known?.text === text) return known.source;
        const source = ts.createSourceFile(name, text, version, true);
        this.#parsed.set(name, { text, source });
        return source;
      },
    };
  }
}

type DiagnoseContext = { readonly installation: string; readonly errors: readonly ts.Diagnostic[]; readonly reads: readonly FileRead[]; readonly sources: readonly string[] };

function diagnose(program: ts.Program, { installation, errors, reads, sources }: DiagnoseContext): TypeCheckReply {
  const diagnostics: ts.Diagnostic[] = [...errors, ...program.getOptionsDiagnostics()];
  for (const source of program.getSourceFiles()) {
    if (program.isSourceFileDefaultLibrary(source)) continue;
    if (isOwn(source.fileName, installation) || source.fileName.includes("/node_modules/")) continue;
    diagnostics.push(...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source));
  }
  const checker = program.getTypeChecker();
  // When they change, so may the declarations that are made of them.
  const made = sources.map((path) => readTracked(path).read);
  return { reads: [...reads, ...made], errors: diagnostics.filter((d) => d.category === ts.DiagnosticCategory.Error).map((d) => explainDiagnostic(d, checker)) };
}

function keyOf(read: FileRead): string {
  return `${read.kind} ${"only" in read ? read.only : ""} ${read.path}`;
}

type TrackedSystem = CompilerSystem & Pick<ts.ParseConfigHost, "readDirectory" | "useCaseSensitiveFileNames">;

/** The machine's files as the compiler asks for them, and everything that it asked. */
function createTrackedSystem(): { readonly system: TrackedSystem; readonly reads: Map<string, FileRead> } {
  const reads = new Map<string, FileRead>();
  const note = (read: FileRead): void => {
    const key = keyOf(read);
    if (!reads.has(key)) reads.set(key, read);
  };
  const noteFolders = (folder: string): void => {
    note({ kind: "folder", path: folder, only: DECLARATIONS, hash: hashFolder(folder, DECLARATIONS) });
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules") noteFolders(join(folder, entry.name));
    }
  };
  return {
    reads,
    system: {
      useCaseSensitiveFileNames: true,
      fileExists(name) {
        const absent = findTracked(name);
        if (absent !== undefined) note(absent);
        return absent === undefined;
      },
      readFile(name) {
        try {
          // Before the compiler reads it: what changes in between is seen later.
          note(readTracked(name).read);
        } catch {
          note({ kind: "absent", path: name });
          return undefined;
        }
        return ts.sys.readFile(name);
      },
      directoryExists(name) {
        const exists = ts.sys.directoryExists(name);
        // Where a file stands no folder will appear.
        if (!exists && !existsSync(name)) note({ kind: "missing", path: name });
        return exists;
      },
      getDirectories(name) {
        if (!ts.sys.directoryExists(name)) note({ kind: "missing", path: name });
        else note({ kind: "folder", path: name, only: FOLDERS, hash: hashFolder(name, FOLDERS) });
        return ts.sys.getDirectories(name);
      },
      realpath(name) {
        const real = ts.sys.realpath?.(name) ?? name;
        if (real !== name) note({ kind: "link", path: name, target: real });
        return real;
      },
      readDirectory(folder, ...rest) {
        noteFolders(folder);
        return ts.sys.readDirectory(folder, ...rest);
      },
    },
  };
}

// Of the files that a tsconfig includes these count, since they may declare what is global; others are imported.
const DECLARATIONS = ".d.ts";
// No name ends so: what is left are folders.
const FOLDERS = "/";

/** tsos's sources, which have been checked; its templates and tests are checked like a user's. */
function isOwn(file: string, installation: string): boolean {
  return ["core", "modules", "pkgs", "cli"].some((folder) => file.startsWith(join(installation, folder) + sep));
}

function readOptions(file: string, installation: string, system: TrackedSystem) {
  let parsed: ts.ParsedCommandLine | undefined;
  // What `tsos update` made of the project's inputs, whether a tsconfig names it or not.
  const inputTypes = join(findProject(file), ".tsos/inputs.d.ts");
  const own = system.fileExists(inputTypes) ? [inputTypes] : [];
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const candidate = join(folder, "tsconfig.json");
    if (system.fileExists(candidate)) {
      parsed = ts.parseJsonConfigFileContent(ts.readConfigFile(candidate, system.readFile).config ?? {}, system, folder);
      break;
    }
    if (dirname(folder) === folder || existsSync(join(folder, ".git"))) break;
  }
  const base: ts.CompilerOptions = parsed?.options ?? { strict: true, types: [], noUncheckedIndexedAccess: true };
  return {
    errors: parsed?.errors.filter((error) => error.code !== NO_INPUTS) ?? [],
    declarations: [...new Set([...(parsed?.fileNames.filter((name) => name.endsWith(".d.ts")) ?? []), ...own])],
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
      paths: { ...base.paths, tsos: [declarationsEntry(installation)] },
    },
  };
}

// "No inputs were found in config file": the configuration itself is the input.
const NO_INPUTS = 18003;

// Last, since constants above are not there before.
const data = workerData as TypeCheckData;
const checker = new Checker(data);
if (data.isWatching === true) parentPort?.on("message", (inputModules: readonly string[]) => void answer(inputModules));
else void answer(data.inputModules);

async function answer(inputModules: readonly string[]): Promise<void> {
  parentPort?.postMessage(await checker.check(inputModules));
}
