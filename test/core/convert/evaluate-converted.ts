/** Evaluates converted configurations and their originals in this process, with the same tree of nixpkgs. */
import { build } from "esbuild";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
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

function openWorld(tree: string, project: string): World {
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

/** The derivation of a converted system. */
export async function evaluateTypeScript(tree: string, root: string, entry = "system.config.ts"): Promise<string> {
  const world = openWorld(tree, root);
  const config = await load(join(root, entry), root, world);
  if (!api.isNixosSystemConfig(config)) throw new TypeError("the file exports no system");
  const system = world.scope.nixosSystem({ nixpkgs: SOURCE, modules: config.modules, specialArgs: config.specialArgs ?? {}, config: undefined, overlays: undefined, system: "x86_64-linux" });
  return (system.toplevel as { readonly drvPath: string }).drvPath;
}

/** The derivation of a module as it stands, or of a file that is a function of nixpkgs and gives the toplevel. */
export function evaluateNix(tree: string, root: string, file: string, how: "module" | "function" = "module"): string {
  const { scope } = openWorld(tree, root);
  const text = how === "function" ? `(import ${PROJECT}/${file} { nixpkgs = ${SOURCE}; })` : `(import ${SOURCE}/nixos/lib/eval-config.nix { system = "x86_64-linux"; modules = [ ${PROJECT}/${file} ]; }).config.system.build.toplevel`;
  return (scope.evaluate(text) as { readonly drvPath: string }).drvPath;
}
