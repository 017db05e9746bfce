import { isBuiltin } from "node:module";
import { isUtf8 } from "node:buffer";
import { existsSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { Loader, OnResolveResult, Plugin } from "esbuild";
import { moduleKey } from "../option/declared-input.ts";
import { INPUT_MODULES, TSOS, TSOS_NAMESPACE, isInPackage, packageName } from "./bundle-names.ts";
import type { BundleOptions, InputModule } from "./bundle-options.ts";
import { detailed, refuse, refuseBuiltin, refuseMissing } from "./bundle-refusals.ts";
import { findTracked, readTracked, type FileRead } from "./file-read.ts";
import { isInside } from "./is-inside.ts";

const EXTENSIONS = [".ts", ".tsx", ".mts", ".js", ".mjs", ".cjs", ".jsx", ".json"];
const TEXT = /\.(txt|md|html?|css|conf|cfg|ini|toml|ya?ml|sh|sql|nft|service|pem|crt|pub|xml|svg)$/;

/** Finds and reads what a configuration imports, notes each file, and refuses what is not pure. */
export function configFiles(options: BundleOptions, reads: Map<string, FileRead>): Plugin {
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
