/** Evaluates converted configurations and their originals in this process, with the same tree of nixpkgs. */
import { build } from "esbuild";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import type { TestContext } from "node:test";
import { createFolderFiles } from "../../../core/config/folder-files.ts";
import { convertProject, type ConvertedProject, type ProjectSource } from "../../../core/convert/convert-project.ts";
import * as api from "../../../core/index.ts";
import { createNixScope, type NixScope } from "../../../core/interop/nix-scope.ts";
import { createNixFile } from "../../../core/package/nix-file.ts";
import { createProjectFiles, type ProjectReader } from "../../../core/package/project-files.ts";

const SOURCE = `/nix/store/${"a".repeat(32)}-source`;
const PROJECT = "/project";

export const diskSource: ProjectSource = {
  kind(path) {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? undefined : stats.isDirectory() ? "folder" : "file";
  },
  read: (path) => readFileSync(path, "latin1"),
};

/** Writes files below a new folder. */
export function writeProject(files: Readonly<Record<string, string>>): { readonly folder: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "tsos-convert-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

export const CASES = join(import.meta.dirname, "cases");

/** The Nix files of a case in a new folder, so that what is written beside them stays out of the repository. */
export function copyCase(t: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), "tsos-convert-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(CASES, name), folder, { recursive: true, filter: (path) => !path.endsWith(".ts") });
  return folder;
}

export function convertFolder(folder: string, file: string): ConvertedProject {
  return convertProject({ source: diskSource, file: join(folder, file), nixpkgs: "nixos-26.05" });
}

export function writeConverted(project: ConvertedProject, folder: string): void {
  for (const { path, text } of project.files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

type World = { readonly scope: NixScope; readonly registry: api.EvaluationRegistry };

export function openWorld(tree: string, project: string): World {
  const registry = new api.EvaluationRegistry();
  registry.addPath("source", SOURCE, tree);
  return { registry, scope: createNixScope({ registry, files: createFolderFiles(new Map([[SOURCE, tree], [PROJECT, project]])), sources: new Set([SOURCE, PROJECT]), log: () => undefined }) };
}

const GLOBAL = "__tsosConverted";
const NAMES = [...new Set([...Object.keys(api), "defineInputs", "nixExpression", "nixFile", "path", "readFile", "readFolder"])];

/** What a configuration in a folder exports. */
async function load(entry: string, root: string, { scope, registry }: World): Promise<unknown> {
  const files = createFolderFiles(new Map([[PROJECT, root]]));
  const full = (folder: string, path: string): string => join(PROJECT, folder, path);
  const reader: ProjectReader = {
    readFile: (folder, path) => Buffer.from(files.read(full(folder, path)), "latin1").toString(),
    readFolder: () => [],
    hashPath: (folder, path) => ({ file: full(folder, path), name: full(folder, path).split("/").at(-1)!, narHash: files.hash(full(folder, path), "nar", []).hash }),
    evaluateNix: (folder, text) => scope.evaluate(text, join(PROJECT, folder)),
    showProjectNix: full,
  };
  const input = (name: string): object => ({
    kind: "input",
    name,
    options: {},
    outPath: SOURCE,
    toString: () => SOURCE,
    nix: (path?: string) => scope.importFile(path === undefined ? SOURCE : `${SOURCE}/${path}`),
    nixFile: (path: string) => createNixFile(`${SOURCE}/${path}`),
  });
  Object.assign(globalThis, {
    [GLOBAL]: (folder: string) => ({ ...api, ...createProjectFiles(registry, reader, folder), defineInputs: (specs: object) => Object.fromEntries(Object.keys(specs).map((name) => [name, input(name)])) }),
  });
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "out",
    logLevel: "silent",
    plugins: [
      {
        name: "tsos",
        setup(builder) {
          builder.onResolve({ filter: /^tsos$/ }, ({ resolveDir }) => ({ path: relative(root, resolveDir) || ".", namespace: "tsos" }));
          builder.onLoad({ filter: /.*/, namespace: "tsos" }, ({ path }) => ({ contents: `const t = globalThis.${GLOBAL}(${JSON.stringify(path)});\n${NAMES.map((name) => `export const ${name} = t.${name};`).join("\n")}` }));
        },
      },
    ],
  });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  return (new Function(`${outputFiles[0]!.text}; return out.default;`) as () => unknown)();
}

/** A converted system. */
export async function openConverted(tree: string, root: string, entry = "system.config.ts", world = openWorld(tree, root), more: readonly string[] = []) {
  const config = await load(join(root, entry), root, world);
  if (!api.isNixosSystemConfig(config)) throw new TypeError("the file exports no system");
  return world.scope.nixosSystem({ nixpkgs: SOURCE, modules: [...config.modules, ...more.map(createNixFile)], specialArgs: config.specialArgs ?? {}, config: undefined, overlays: undefined, system: "x86_64-linux" });
}

/** The derivation of a converted system. */
export async function evaluateTypeScript(tree: string, root: string, entry = "system.config.ts", world = openWorld(tree, root), more: readonly string[] = []): Promise<string> {
  const system = await openConverted(tree, root, entry, world, more);
  return (system.toplevel as { readonly drvPath: string }).drvPath;
}

/** The derivation of a module as it stands, or of a file that is a function of nixpkgs and gives the toplevel. */
export function evaluateNix(tree: string, root: string, file: string, how: "module" | "function" = "module", { scope } = openWorld(tree, root), more: readonly string[] = []): string {
  const text = how === "function" ? `(import ${PROJECT}/${file} { nixpkgs = ${SOURCE}; })` : `let evalConfig = import ${SOURCE}/nixos/lib/eval-config.nix; in (evalConfig ({ system = "x86_64-linux"; modules = [ ${PROJECT}/${file} ${more.join(" ")} ]; } // (if (builtins.functionArgs evalConfig) ? modulesLocation then { modulesLocation = "a file"; } else { }))).config.system.build.toplevel`;
  return (scope.evaluate(text) as { readonly drvPath: string }).drvPath;
}

/** Where two derivations begin to differ: the innermost ones that are not the same, with what they say. */
export function explainDifference(a: World, b: World, first: string, second: string): string {
  const seen = new Set<string>();
  const found: string[] = [];
  const visit = (left: string, right: string): void => {
    if (left === right || seen.has(left) || found.length > 5) return;
    seen.add(left);
    const [x, y] = [a.registry.getRecorded(left).derivation, b.registry.getRecorded(right).derivation];
    const store = (path: string): string => `/nix/store/${path}`;
    const lefts = new Map([...x.inputDerivations.keys()].map((path) => [path.slice(33), store(path)]));
    const rights = new Map([...y.inputDerivations.keys()].map((path) => [path.slice(33), store(path)]));
    const before = found.length;
    for (const [name, path] of lefts) if (rights.has(name)) visit(path, rights.get(name)!);
    if (found.length > before) return;
    const lines = [`${left} and ${right}:`];
    for (const name of lefts.keys()) if (!rights.has(name)) lines.push(`  only the first has ${name}`);
    for (const name of rights.keys()) if (!lefts.has(name)) lines.push(`  only the second has ${name}`);
    for (const [name, value] of x.env) {
      const other = y.env.get(name);
      if (value === other) continue;
      const at = [...value].findIndex((c, i) => c !== other?.[i]);
      lines.push(`  ${name}: …${value.slice(Math.max(0, at - 60), at + 200)}\n     and …${other?.slice(Math.max(0, at - 60), at + 200)}`);
    }
    found.push(lines.join("\n"));
  };
  visit(first, second);
  return found.join("\n");
}
