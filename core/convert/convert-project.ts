import { TsosError } from "../error/tsos-error.ts";
import { NixError } from "../nix/nix-error.ts";
import { fromByteString, toByteString } from "../util/bytes.ts";
import type { ConcreteFile } from "./concrete-syntax.ts";
import { convertFile, countMarked, type FileKind } from "./convert-file.ts";
import type { FileContext } from "./converter.ts";
import { KNOWN_INPUTS } from "./known-functions.ts";
import { parseConcrete } from "./parse-concrete.ts";
import { declareOwnOptions, definesHome, ownOptions } from "./own-options.ts";
import { refuseFlake } from "./refuse-flake.ts";
import { allBoundNames } from "./scope.ts";
import { isIdentifier, quote, variableName } from "./typescript-names.ts";

/** What is there to read; paths are full, `/` between names. */
export type ProjectSource = {
  kind(path: string): "file" | "folder" | undefined;
  /** The bytes of a file, one latin-1 character each. */
  read(path: string): string;
};

export type ConvertOptions = {
  readonly source: ProjectSource;
  /** The file that is converted, in full. */
  readonly file: string;
  /** The branch or tag of nixpkgs that the configuration gets. */
  readonly nixpkgs: string;
  /** Inputs that the project has: by their names, what they are in TypeScript. They stand in place of what would be guessed. */
  readonly inputs?: ReadonlyMap<string, string> | undefined;
  /** The file is a module that others import, and no machine. */
  readonly isModule?: boolean | undefined;
};

/** A file that stays Nix in a place. */
export type ConvertedMark = { readonly file: string; readonly line: number; readonly column: number; readonly reason: string };

export type ConvertedFile = {
  /** Relative to the root of the project. */
  readonly path: string;
  readonly from: string;
  readonly text: string;
  readonly expressions: number;
  readonly marked: number;
};

export type ConvertedProject = {
  /** The folder that all files are below, in full. */
  readonly root: string;
  readonly files: readonly ConvertedFile[];
  /** Files and folders that the output names and that stay as they are, relative to the root. */
  readonly kept: readonly string[];
  readonly marks: readonly ConvertedMark[];
  /** What could not be known and was believed, by file. */
  readonly assumed: readonly { readonly file: string; readonly names: readonly string[] }[];
};

type Entry = { readonly path: string; kind: FileKind; readonly file: ConcreteFile };

/**
 * A configuration of NixOS or of a user's home and all modules that it imports from its project, or a `shell.nix`, as TypeScript.
 *
 * @throws TsosError `convert.missing-file`, `convert.no-shell`, `convert.flake`; NixError of kind `parse`
 */
export function convertProject({ source, file, nixpkgs, inputs: given = new Map(), isModule = false }: ConvertOptions): ConvertedProject {
  const files = new Map<string, Entry>();
  const kept = new Set<string>();
  const work: string[] = [];
  const add = (path: string, kind: FileKind): boolean => {
    const known = files.get(path);
    if (known !== undefined) {
      // What an expression imports as well as modules do is no module alone.
      if (known.kind === "module" && kind === "value") {
        known.kind = "value";
        work.push(path);
      }
      return true;
    }
    if (source.kind(path) !== "file") return false;
    let parsed: ConcreteFile;
    try {
      parsed = parseConcrete(source.read(path), toByteString(path));
    } catch (error) {
      // Only what the user named must parse.
      if (error instanceof NixError && files.size > 0) return false;
      throw error;
    }
    files.set(path, { path, kind, file: parsed });
    work.push(path);
    return true;
  };
  if (source.kind(file) !== "file") throw new TsosError({ code: "convert.missing-file", message: `there is no file "${file}"`, hint: "tsos nix convert configuration.nix" });
  const isShell = !isModule && /(?:^|\/)shell\.nix$/.test(file);
  add(file, isShell ? "shell" : isModule ? "module" : "system");
  const isHome = !isShell && (/(?:^|\/)home\.nix$/.test(file) || definesHome(files.get(file)!.file.expression));
  if (/(?:^|\/)flake\.nix$/.test(file)) throw refuseFlake(file, files.get(file)!.file.expression);

  const resolveImport = (from: string, path: string): string | undefined => {
    const full = resolvePath(folderOf(from), path);
    return source.kind(full) === "folder" ? `${full}/default.nix` : full;
  };
  // Found by converting; what is converted before all is known is converted again below.
  const contextOf = (entry: Entry, imports: Map<string, string>, used: Set<string>, taken: Set<string>, bound?: ReadonlySet<string>): FileContext => ({
    isHome,
    importOf(path, how) {
      const full = resolveImport(entry.path, path);
      if (full === undefined || !full.endsWith(".nix") || full === file || !add(full, how)) return undefined;
      const known = imports.get(full);
      if (known !== undefined) return known;
      let name = moduleName(full);
      bound ??= allBoundNames(entry.file.expression);
      while (taken.has(name) || bound.has(name)) name += bound.has(name) && !name.endsWith("File") ? "File" : "_";
      taken.add(name);
      imports.set(full, name);
      return name;
    },
    keep(path) {
      const full = resolvePath(folderOf(entry.path), path);
      const kind = source.kind(full);
      if (kind !== undefined) kept.add(full);
      return full.endsWith(".nix") || (kind === "folder" && source.kind(`${full}/default.nix`) === "file") ? "nix" : "other";
    },
    input(name) {
      if (KNOWN_INPUTS[name] === undefined) return undefined;
      used.add(name);
      return `inputs${isIdentifier(inputName(name)) ? `.${inputName(name)}` : `[${quote(inputName(name))}]`}`;
    },
  });
  const results = new Map<string, { readonly text: ReturnType<typeof convertFile>; readonly imports: ReadonlyMap<string, string>; readonly inputs: ReadonlySet<string> }>();
  for (let path = work.pop(); path !== undefined; path = work.pop()) {
    const entry = files.get(path)!;
    const imports = new Map<string, string>();
    const inputs = new Set<string>();
    const name = entry.kind === "system" ? (isHome ? "home" : "configuration") : moduleName(path);
    const taken = new Set(["dedent", "path", "nixFile", "readFile", "nixExpression", "inputs", "defineInputs", "github", ...(entry.kind === "value" ? [] : [name])]);
    const text = convertFile(entry.file, { kind: entry.kind, name, isHome, taken, context: contextOf(entry, imports, inputs, taken) });
    results.set(path, { text, imports, inputs });
  }
  // A file may be reached only by what was converted before it became a value: all that is written is reached.
  const reached = new Set<string>([file]);
  for (const path of reached) for (const inner of results.get(path)?.imports.keys() ?? []) reached.add(inner);
  const root = commonFolder([...reached, ...kept], folderOf(file));
  const entryPath = `${root}/${isShell ? "shell" : isHome ? "home" : "system"}.config.ts`;
  const pathOf = (path: string): string => (path === file && !isModule ? entryPath : path.replace(/\.nix$/, ".ts"));
  const inputsElsewhere = [...reached].some((path) => (path !== file || isModule) && results.get(path)!.inputs.size > 0);
  const allInputs = new Set(["nixpkgs", ...(isHome ? ["home-manager"] : []), ...[...reached].flatMap((path) => [...results.get(path)!.inputs])]);
  const inputsText = (isExported: boolean): string => {
    const sources = new Map<string, string | undefined>([...allInputs].map((name) => [inputName(name), name]));
    for (const name of given.keys()) if (!sources.has(name)) sources.set(name, undefined);
    const lines = [...sources].map(([name, source]) => {
      const known = given.get(name);
      if (known !== undefined || source === undefined) return `${isIdentifier(name) ? name : quote(name)}: ${known}`;
      const [repository, ref] = KNOWN_INPUTS[source]!;
      const branch = repository === "NixOS/nixpkgs" && ref === undefined ? nixpkgs : source === "home-manager" && nixpkgs.startsWith("nixos-") && nixpkgs !== "nixos-unstable" ? nixpkgs.replace("nixos", "release") : ref;
      return `${isIdentifier(name) ? name : quote(name)}: github(${quote(repository)}${branch === undefined ? "" : `, ${quote(branch)}`})`;
    });
    const prefix = `${isExported ? "export " : ""}const inputs = defineInputs(`;
    return lines.length === 1 ? `${prefix}{ ${lines[0]!} });\n` : `${prefix}{\n${lines.map((one) => `  ${one},\n`).join("")}});\n`;
  };
  const converted: ConvertedFile[] = [];
  for (const path of reached) {
    const { text, imports, inputs } = results.get(path)!;
    const to = pathOf(path);
    const isEntry = path === file && !isModule;
    // Where the entry moves, what it names is reached from elsewhere.
    const moved = folderOf(to) !== folderOf(path);
    const body = moved ? movePaths(text.text, folderOf(path), folderOf(to)) : text.text;
    const names = new Set(text.needs.imports);
    if (text.needs.ourLib) names.add("lib");
    const { kind, file: concrete } = files.get(path)!;
    const own = kind === "module" || kind === "system" ? ownOptions(concrete.expression) : [];
    const declared = own.length === 0 ? [] : [declareOwnOptions(own, isHome ? "HomeOwnOptions" : "NixosOwnOptions")];
    if (/(?:: (?:readonly )?|<)NixValue\b/.test([body, ...declared].join("\n"))) names.add("type NixValue");
    const declares = isEntry && !inputsElsewhere;
    if (declares) for (const one of inputFunctions(inputsText(false))) names.add(one);
    const statements = [
      ...(names.size === 0 ? [] : [importStatement([...names])]),
      ...(inputs.size > 0 || isEntry ? (declares ? [] : [`import { inputs } from ${quote(relativePath(folderOf(to), `${root}/inputs.ts`))};`]) : []),
      ...[...imports].map(([target, name]) => `import ${name} from ${quote(relativePath(folderOf(to), pathOf(target)))};`),
    ];
    const parts = [`${text.header}${statements.join("\n")}`, ...(declares ? [inputsText(false).trimEnd()] : []), ...declared, body].filter((part) => part.trim() !== "");
    converted.push({ path: to.slice(root.length + 1), from: path, text: `${parts.join("\n\n").trimEnd()}\n`, expressions: text.expressions, marked: countMarked(files.get(path)!.file, text.marks) });
  }
  if (inputsElsewhere) converted.push({ path: "inputs.ts", from: file, text: `${importStatement(inputFunctions(inputsText(true)))}\n\n${inputsText(true)}`, expressions: 0, marked: 0 });
  return {
    root,
    files: converted,
    kept: [...kept].filter((path) => path.startsWith(`${root}/`)).map((path) => path.slice(root.length + 1)),
    marks: [...reached].flatMap((path) => results.get(path)!.text.marks.map(({ start, reason }) => ({ file: path, ...lineOf(files.get(path)!.file.text, start), reason }))),
    assumed: [...reached].flatMap((path) => {
      const names = [...results.get(path)!.text.needs.assumed];
      return names.length === 0 ? [] : [{ file: path, names }];
    }),
  };
}

function inputName(name: string): string {
  return name === "nixos" ? "nixpkgs" : variableName(toByteString(name));
}

/** What makes a source of an input. */
export const SOURCE_FUNCTIONS = ["github", "gitlab", "sourcehut", "git", "tarball"] as const;

/** What the text of inputs calls. */
function inputFunctions(text: string): readonly string[] {
  return ["defineInputs", ...SOURCE_FUNCTIONS].filter((name) => new RegExp(`\\b${name}\\(`).test(text));
}

function importStatement(names: readonly string[]): string {
  const plain = (name: string): string => name.replace(/^type /, "");
  const sorted = [...names].sort((a, b) => (plain(a).toLowerCase() < plain(b).toLowerCase() ? -1 : 1));
  if (sorted.every((name) => name.startsWith("type "))) return `import type { ${sorted.map(plain).join(", ")} } from "tsos";`;
  return `import { ${sorted.join(", ")} } from "tsos";`;
}

/** Paths in quotes that are relative to one folder, relative to another one. */
function movePaths(text: string, from: string, to: string): string {
  return text.replace(/\b(path|nixFile|readFile)\(("(?:\.{1,2}(?:\/[^"\\]*)?)")/g, (_, name: string, literal: string) => `${name}(${quote(relativePath(to, resolvePath(from, JSON.parse(literal) as string)))}`);
}

function moduleName(path: string): string {
  const parts = path.replace(/\.nix$/, "").split("/");
  const last = parts.at(-1)!;
  return variableName(toByteString(last === "default" || last === "configuration" ? (parts.at(-2) ?? last) : last));
}

function lineOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: fromByteString(before.slice(before.lastIndexOf("\n") + 1)).length + 1 };
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function resolvePath(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${path.startsWith("/") ? "" : folder}/${path}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

export function relativePath(from: string, to: string): string {
  const a = from.split("/");
  const b = to.split("/");
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  const up = a.length - same;
  const rest = b.slice(same).join("/");
  return up === 0 ? `./${rest}` : `${"../".repeat(up)}${rest}`.replace(/\/$/, "");
}

function commonFolder(paths: readonly string[], start: string): string {
  let folder = start;
  while (folder !== "" && !paths.every((path) => path === folder || path.startsWith(`${folder}/`))) folder = folderOf(folder);
  return folder;
}
