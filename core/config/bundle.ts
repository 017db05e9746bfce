import { isBuiltin } from "node:module";
import { isUtf8 } from "node:buffer";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Loader, Message, Metafile, OnResolveResult, PartialMessage, Plugin } from "esbuild";
import { TsosError } from "../error/tsos-error.ts";
import { findNearestName } from "../util/suggest.ts";
import { moduleKey } from "../option/declared-input.ts";
import { joinErrors } from "./config-errors.ts";
import { isInside } from "./is-inside.ts";
import { findTracked, readTracked, type FileRead } from "./file-read.ts";

export type BundleOptions = {
  /** The configuration; undefined for an empty one. */
  readonly file: string | undefined;
  /** The folder that paths in the bundle are relative to. */
  readonly project: string;
  /** What `"tsos"` exports. */
  readonly exports: readonly string[];
  /** Those of its exports that are made anew for each folder that imports them. */
  readonly folderExports: readonly string[];
  /** Where what is read is noted, by path, also when the bundle fails. */
  readonly reads?: Map<string, FileRead>;
  /** Modules of inputs that belong to it. */
  readonly inputModules?: readonly InputModule[] | undefined;
};

/** A file of an input's tree, and the name by which the evaluation knows it. */
export type InputModule = {
  readonly input: string;
  /** As the configuration wrote it. */
  readonly path: string;
  /** The input's tree. */
  readonly root: string;
};

export type Bundle = {
  /** A script whose value is a function of the runtime's API that gives what the configuration exports. */
  readonly code: string;
  /** The source map's JSON; its sources are relative to the project. */
  readonly map: string;
  readonly reads: readonly FileRead[];
  readonly warnings: readonly TsosError[];
};

const TSOS = "tsos";
const TSOS_NAMESPACE = "tsos-api";
/** The file of the bundle that hands the modules of inputs over, before the configuration runs. */
const INPUT_MODULES = "tsos:inputs";
const EXTENSIONS = [".ts", ".tsx", ".mts", ".js", ".mjs", ".cjs", ".jsx", ".json"];
const TEXT = /\.(txt|md|html?|css|conf|cfg|ini|toml|ya?ml|sh|sql|nft|service|pem|crt|pub|xml|svg)$/;

/** What a person reaches a builtin of Node for, and what does that in a configuration. */
const INSTEAD: ReadonlyMap<string, readonly [string, string]> = new Map([
  ["fs", ["the file system", 'readFile("./file") from "tsos", path("./folder"), or import a JSON or text file']],
  ["os", ["the machine", "options, such as config.networking.hostName"]],
  ["child_process", ["the output of a program", "a package whose build runs it"]],
  ["crypto", ["randomness or the clock", "a value written down, or a service that makes it on the machine"]],
  ["process", ["the environment", "a value written down, or a JSON file of the project"]],
  ["path", ["the machine's paths", "template literals, which join paths of a machine as they are"]],
  ["url", ["Node's url", "template literals"]],
  ["http", ["the network", "pkgs.fetchurl({ url, hash })"]],
  ["https", ["the network", "pkgs.fetchurl({ url, hash })"]],
  ["net", ["the network", "pkgs.fetchurl({ url, hash })"]],
  ["dns", ["the network", "addresses written down"]],
  ["worker_threads", ["other threads", "plain code: an evaluation is synchronous"]],
]);

type Refusal = { readonly code: string; readonly hint?: string | undefined };

/**
 * Makes one script of a configuration and all that it imports.
 * @throws TsosError, or `ConfigErrors` with everything that is wrong: syntax, missing files, what is not pure.
 */
export async function bundleConfig(options: BundleOptions): Promise<Bundle> {
  const { build } = await import("esbuild");
  const reads = options.reads ?? new Map<string, FileRead>();
  const modules = options.inputModules ?? [];
  const inputs = modules.length === 0 ? "" : `import ${JSON.stringify(INPUT_MODULES)};\n`;
  const entry = options.file === undefined ? "export default undefined;" : `${inputs}export { default } from ${JSON.stringify(options.file)};`;
  let result;
  try {
    result = await build({
      stdin: { contents: entry, resolveDir: options.project, sourcefile: "tsos:entry", loader: "js" },
      absWorkingDir: options.project,
      outfile: join(options.project, "tsos-config.js"),
      bundle: true,
      write: false,
      format: "iife",
      globalName: "config",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["import", "default"],
      target: "es2023",
      // An import whose specifier is only known at run time could load anything.
      supported: { "dynamic-import": false },
      charset: "utf8",
      sourcemap: "external",
      sourcesContent: false,
      // The bundle depends on the files it names, not on a tsconfig that may lie above them.
      tsconfigRaw: { compilerOptions: { target: "es2023", useDefineForClassFields: true } },
      legalComments: "none",
      keepNames: false,
      logLevel: "silent",
      // What can only be told when it runs is told now.
      logOverride: { "unsupported-dynamic-import": "warning", "unsupported-require-call": "warning", "indirect-require": "warning" },
      metafile: true,
      // A module's code is strict, and so a change of what is frozen throws.
      banner: { js: '((__tsos) => { "use strict";' },
      footer: { js: "return config.default; })" },
      plugins: [configFiles(options, reads)],
    });
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw joinErrors(error.errors.map((message) => toTsosError(message, options)));
  }
  const [code, map] = [result.outputFiles.find((f) => f.path.endsWith(".js")), result.outputFiles.find((f) => f.path.endsWith(".map"))];
  const warnings = result.warnings.filter((w) => w.location === null || !w.location.file.includes("node_modules")).map((message) => toTsosError(message, options));
  const wrong = warnings.filter((warning) => WRONG.has(warning.code));
  if (wrong.length > 0) throw joinErrors(wrong);
  refuseCircles(result.metafile, options.project);
  return { code: code?.text ?? "", map: map?.text ?? "{}", reads: [...reads.values()], warnings };
}

function configFiles(options: BundleOptions, reads: Map<string, FileRead>): Plugin {
  const note = (read: FileRead | undefined): void => {
    if (read !== undefined && !reads.has(read.path)) reads.set(read.path, read);
  };
  const isFile = (path: string): boolean => {
    const absent = findTracked(path);
    if (absent !== undefined) note(absent);
    return absent === undefined;
  };
  const findFile = (base: string): string | undefined => {
    if (extname(base) !== "" && isFile(base)) return base;
    for (const extension of EXTENSIONS) if (isFile(base + extension)) return base + extension;
    // What compiled TypeScript is written with: "./x.js" where there is x.ts.
    const source = /\.([mc]?)js$/.exec(base);
    if (source !== null) {
      const typescript = `${base.slice(0, source.index)}.${source[1] ?? ""}ts`;
      if (isFile(typescript)) return typescript;
    }
    if (extname(base) === "" && isFile(base)) return base;
    for (const extension of EXTENSIONS) if (isFile(join(base, `index${extension}`))) return join(base, `index${extension}`);
    return undefined;
  };

  const modules = options.inputModules ?? [];
  const findInput = (folder: string): InputModule | undefined => modules.find(({ root }) => folder === root || folder.startsWith(root + sep));

  return {
    name: "tsos-config",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args): Promise<OnResolveResult | undefined> => {
        const { path, importer } = args;
        if (args.pluginData === SKIP) return undefined;
        if (args.kind === "dynamic-import" && !isInPackage(importer)) {
          if (isBuiltin(path)) return refuseBuiltin(path, importer);
          return refuse({ code: "config.async", hint: `write import … from ${JSON.stringify(path)} at the top of the file` }, "import(…) gives a promise, and a configuration cannot wait");
        }
        if (path === INPUT_MODULES && importer.endsWith("tsos:entry")) return { path: "inputs", namespace: INPUT_MODULES };
        const input = findInput(args.resolveDir);
        if (path === TSOS) {
          const folder = relative(input?.root ?? options.project, args.resolveDir).split(sep).join("/");
          return { path: `${input?.input ?? ""}:${folder === "" ? "." : folder}`, namespace: TSOS_NAMESPACE, sideEffects: false };
        }
        if (path.startsWith(`${TSOS}/`)) {
          return refuse({ code: "config.unknown-import", hint: 'everything that a configuration uses is exported by "tsos"' }, `"${path}" cannot be imported`);
        }
        if (path.startsWith("node:") || (isBuiltin(path) && !isInProject(path, args.resolveDir))) return refuseBuiltin(path, importer);
        if (/^[a-z][a-z+.-]+:/.test(path) && !path.startsWith("file:")) {
          return refuse({ code: "config.unknown-import", hint: "copy the file into the project, or install it as an npm package" }, `"${path}" cannot be imported: an evaluation has no network`);
        }
        if (path.startsWith(".") || isAbsolute(path)) {
          const target = resolve(args.resolveDir, path);
          const found = findFile(target);
          const owner = input ?? (args.namespace === INPUT_MODULES ? findInput(target) : undefined);
          if (owner !== undefined && found !== undefined && !isInside(owner.root, found)) {
            return refuse({ code: "config.outside-project", hint: "an input's modules see their own tree only" }, `"${path}" leads out of the input "${owner.input}"`);
          }
          return found === undefined ? refuseMissing(path, target, options.file === target && importer.endsWith("tsos:entry")) : { path: found };
        }
        // What an input takes from npm is what the project has installed.
        const resolveDir = input === undefined ? args.resolveDir : options.project;
        notePackageFiles(path, resolveDir, isFile, note);
        const found = await build.resolve(path, { kind: args.kind, resolveDir, importer, pluginData: SKIP });
        if (found.errors.length === 0) return { path: found.path, namespace: found.namespace, sideEffects: found.sideEffects };
        const name = packageName(path);
        return refuse({ code: "config.missing-package", hint: `npm install ${name}` }, `cannot find the package "${name}"`);
      });

      build.onLoad({ filter: /.*/, namespace: TSOS_NAMESPACE }, (args) => ({
        contents: [
          `const bound = __tsos.in(${JSON.stringify(args.path.slice(args.path.indexOf(":") + 1))}${args.path.startsWith(":") ? "" : `, ${JSON.stringify(args.path.slice(0, args.path.indexOf(":")))}`});`,
          ...options.exports.map((name) => `export const ${name} = ${options.folderExports.includes(name) ? "bound" : "__tsos.api"}.${name};`),
        ].join("\n"),
        loader: "js",
      }));

      build.onLoad({ filter: /.*/, namespace: INPUT_MODULES }, () => ({
        contents: modules
          .flatMap(({ input, path, root }, i) => [
            `import * as module${i} from ${JSON.stringify(resolve(root, path.replace(/^\/+/, "")))};`,
            `__tsos.modules.set(${JSON.stringify(moduleKey(input, path))}, module${i});`,
          ])
          .join("\n"),
        loader: "js",
        resolveDir: options.project,
      }));

      build.onLoad({ filter: /.*/, namespace: "file" }, (args) => {
        const { bytes, read } = readTracked(args.path);
        note(read);
        const broken = findNonUtf8(bytes);
        if (broken !== undefined) {
          const { line, text, column } = broken;
          const hint = bytes[0] === 0xff || bytes[0] === 0xfe ? "it looks like UTF-16: save it as UTF-8" : "save it as UTF-8";
          return { errors: [{ ...detailed({ code: "config.not-text", hint }, `"${basename(args.path)}" is not UTF-8 text`), location: { file: args.path, namespace: "file", line, column, lineText: text } }] };
        }
        const loader = args.with["type"] === "text" ? "text" : loaderOf(args.path);
        if (loader === undefined) {
          const errors = [detailed({ code: "config.unknown-import", hint: 'import it as text with { type: "text" }, or use path("./file") to copy it to the store' }, `"${basename(args.path)}" is neither TypeScript nor JSON nor a kind of text that can be imported`)];
          return { errors };
        }
        return { contents: bytes, loader, resolveDir: dirname(args.path) };
      });
    },
  };
}

/** What the compiler only warns of, and what is a mistake all the same. */
const WRONG: ReadonlySet<string> = new Set(["config.duplicate-key", "config.impure", "config.impure-import"]);

const SKIP = Symbol("resolve as esbuild does");

function loaderOf(path: string): Loader | undefined {
  switch (extname(path)) {
    case ".ts":
    case ".mts":
    case ".cts":
      return "ts";
    case ".tsx":
      return "tsx";
    case ".js":
    case ".mjs":
    case ".cjs":
      return "js";
    case ".jsx":
      return "jsx";
    case ".json":
      return "json";
    default:
      return TEXT.test(path) ? "text" : undefined;
  }
}

function detailed(detail: Refusal, text: string): PartialMessage {
  return { text, detail };
}

function refuse(detail: Refusal, text: string): OnResolveResult {
  return { errors: [detailed(detail, text)] };
}

function refuseBuiltin(path: string, importer: string): OnResolveResult {
  const name = path.replace(/^node:/, "");
  const [what, instead] = INSTEAD.get(name.split("/")[0] ?? name) ?? [`"${path}"`, "what \"tsos\" exports"];
  const inPackage = PACKAGE.exec(importer.split(sep).join("/"));
  const hint = inPackage === null ? `use ${instead}` : `the package "${inPackage[1]}" is not pure: use one that needs nothing of Node, or ${instead}`;
  return refuse({ code: "config.impure-import", hint }, `a configuration cannot read ${what}: "${path}" is not available`);
}

function refuseMissing(path: string, target: string, isEntry: boolean): OnResolveResult {
  if (isEntry) return refuse({ code: "config.missing-file", hint: "tsos init makes one" }, `there is no configuration "${target}"`);
  const folder = dirname(target);
  let hint: string | undefined;
  if (existsSync(folder)) {
    const near = findNearestName(basename(target), readdirSync(folder));
    if (near !== undefined) hint = `did you mean "${path.slice(0, path.length - basename(path).length)}${near}"?`;
    if (statSync(target, { throwIfNoEntry: false })?.isDirectory() === true) hint = "that is a folder without an index.ts";
  } else {
    hint = `there is no folder "${dirname(path)}"`;
  }
  return refuse({ code: "config.missing-file", hint }, `cannot find "${path}"`);
}

const PACKAGE = /node_modules\/((?:@[^/]+\/)?[^/]+)/;

function isInPackage(file: string): boolean {
  return PACKAGE.test(file.split(sep).join("/"));
}

function packageName(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/** A package of the project may have the name of a builtin, such as `punycode`. */
function isInProject(specifier: string, from: string): boolean {
  return ancestors(from).some((folder) => existsSync(join(folder, "node_modules", packageName(specifier), "package.json")));
}

/** Where a package was looked for, so that one that is installed or changed later is seen. */
function notePackageFiles(specifier: string, from: string, isFile: (path: string) => boolean, note: (read: FileRead) => void): void {
  // The package that imports may itself say what `#name`, or its own name, stands for.
  const own = ancestors(from).map((folder) => join(folder, "package.json")).find(isFile);
  if (own !== undefined) note(readTracked(own).read);
  for (const folder of ancestors(from)) {
    const file = join(folder, "node_modules", packageName(specifier), "package.json");
    if (!isFile(file)) continue;
    note(readTracked(file).read);
    return;
  }
}

function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}

/**
 * Files of one's own that import one another in a circle: which of them runs first, and so sees nothing of the
 * other, would depend on who imports them. Types are no imports.
 */
function refuseCircles(metafile: Metafile, project: string): void {
  const own = new Map(Object.entries(metafile.inputs).filter(([file]) => !file.includes(":") && !isInPackage(file)));
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start !== -1) throw circle([...way.slice(start), file], project);
    if (done.has(file)) return;
    for (const { path, kind } of own.get(file)?.imports ?? []) if (kind === "import-statement" && own.has(path)) visit(path, [...way, file]);
    done.add(file);
  };
  for (const file of own.keys()) visit(file, []);
}

function circle(way: readonly string[], project: string): TsosError {
  const [at, ...related] = way.slice(1).map((file, i) => ({ ...findImport(resolve(project, way[i]!), resolve(project, file)), note: "and imported here" }));
  return new TsosError({
    code: "config.import-circle",
    message: `files import one another in a circle: ${way.map((file) => `"${file}"`).join(" imports ")}`,
    hint: "move what both need into a third file; what is needed as a type only, import with import type",
    at: at === undefined ? undefined : { file: at.file, line: at.line, column: at.column },
    related,
  });
}

/** Where `file` imports `other`: the line whose text names it. */
function findImport(file: string, other: string): { readonly file: string; readonly line: number; readonly column: number } {
  const name = basename(other).replace(/\.[^.]+$/, "");
  const lines = readFileSync(file, "utf8").split("\n");
  const line = lines.findIndex((text) => /\b(from|import)\b/.test(text) && new RegExp(`["'][^"']*${name.replace(/[^\w]/g, "\\$&")}(\\.\\w+)?["']`).test(text));
  return { file, line: Math.max(0, line) + 1, column: 1 };
}

/** The first place that is not UTF-8; line counted from 1, column in bytes from 0, as esbuild counts. */
function findNonUtf8(bytes: Uint8Array): { readonly line: number; readonly column: number; readonly text: string } | undefined {
  if (isUtf8(bytes)) return undefined;
  for (const [i, text] of Buffer.from(bytes).toString("latin1").split("\n").entries()) {
    const line = Buffer.from(text, "latin1");
    if (isUtf8(line)) continue;
    const shown = line.toString("utf8");
    return { line: i + 1, column: Buffer.byteLength(shown.slice(0, Math.max(0, shown.indexOf("\ufffd")))), text: shown };
  }
  return { line: 1, column: 0, text: "" };
}

function isBuildFailure(error: unknown): error is { readonly errors: readonly Message[] } {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}

const MISSING_EXPORT = /^No matching export in "([^"]+)" for import "([^"]+)"$/;

function toTsosError(message: Message, options: BundleOptions): TsosError {
  const { location } = message;
  const at = location === null || location.file === "tsos:entry" ? undefined : {
    file: resolve(options.project, location.file),
    line: location.line,
    // esbuild counts UTF-8 bytes from 0.
    column: Buffer.from(location.lineText).subarray(0, location.column).toString().length + 1,
  };
  const related = message.notes.flatMap((note) =>
    note.location === null || note.location === undefined || note.text.startsWith("The plugin ") ? [] : [{ file: resolve(options.project, note.location.file), line: note.location.line, column: note.location.column + 1, note: lowerFirst(note.text.replace(/:$/, "")) }],
  );
  const detail = message.detail as Partial<Refusal> | undefined;
  if (detail?.code !== undefined) return new TsosError({ code: detail.code, message: message.text, hint: detail.hint, at, related });

  const missing = MISSING_EXPORT.exec(message.text);
  if (missing !== null) {
    const [, from = "", name = ""] = missing;
    if (name === "default" && at === undefined && options.file !== undefined) {
      return new TsosError({
        code: "config.no-default",
        message: `"${basename(options.file)}" exports no configuration`,
        hint: "export default defineSystem({ … }), or defineShell",
        at: { file: options.file, line: 1, column: 1 },
      });
    }
    const isTsos = from.startsWith(`${TSOS_NAMESPACE}:`);
    const near = isTsos ? findNearestName(name, options.exports) : undefined;
    const suggested = near ?? /^Did you mean to import "([^"]+)"/.exec(message.notes[0]?.text ?? "")?.[1];
    return new TsosError({
      code: "config.unknown-export",
      message: `"${isTsos ? TSOS : from}" does not export "${name}"`,
      hint: suggested === undefined ? undefined : `did you mean "${suggested}"?`,
      at,
      related: isTsos ? [] : related.filter((r) => !r.note.startsWith("did you mean")),
    });
  }
  if (message.text.startsWith("Duplicate key")) {
    return new TsosError({ code: "config.duplicate-key", message: `${lowerFirst(message.text).replace(" in object literal", " in one object")}: only the last would count`, hint: "write it once, with the values merged", at, related });
  }
  if (message.text.startsWith("Top-level await")) {
    return new TsosError({ code: "config.async", message: "a configuration cannot wait: await is not available", hint: "an evaluation is synchronous: compute the value at once", at });
  }
  if (message.text.startsWith('"import.meta" is not available')) {
    return new TsosError({ code: "config.impure", message: '"import.meta" is not available in a configuration', hint: 'use path("./file"), which is relative to the file it stands in', at });
  }
  if (/^(This call to|Converting) "(require|import)"|^Indirect calls to "require"/.test(message.text) || /^This "import" expression will not be bundled/.test(message.text)) {
    return new TsosError({ code: "config.impure-import", message: "a configuration imports only what it names: this import's name is computed", hint: 'write import … from "./file.ts" at the top of the file', at });
  }
  if ( message.text.startsWith('Could not resolve "')) {
    return new TsosError({ code: "config.unknown-import", message: lowerFirst(message.text), at, related });
  }
  return new TsosError({ code: "config.syntax", message: lowerFirst(message.text), hint: syntaxHint(message.text), at, related });
}

/** The compiler's words name what it met; what is amiss stands before it. */
function syntaxHint(text: string): string | undefined {
  const [, expected, found] = /^Expected "([)}\]])" but found (.+)$/.exec(text) ?? [];
  if (expected === undefined || found === undefined) return undefined;
  if (/^"[)}\];]"$|^end of file$/.test(found)) return `is a "${expected}" missing before it?`;
  return "is a comma missing before it?";
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}
