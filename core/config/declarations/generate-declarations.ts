import { dirname, join, relative, sep } from "node:path";
import { ts } from "@ts-morph/common";
import { createCompilerHost } from "../compiler-host.ts";
import { formatDeclarations } from "./format-declarations.ts";
import { leadToPackages } from "./lead-to-packages.ts";
import { createOptionTreeReader } from "./read-option-tree.ts";

export type GenerateInit = {
  /** tsos's own folder. */
  readonly installation: string;
  /** A file that imports the modules to declare: of tsos itself, `cli/tsos.d.ts`. */
  readonly entry: string;
  /** Where the declarations go; nothing is written here. */
  readonly outFolder: string;
};

export type Declarations = {
  /** Texts by path; the first file that users' programs load is `tsos.d.ts` of the folder. */
  readonly files: ReadonlyMap<string, string>;
  /** The sources that the declarations were made of. */
  readonly sources: readonly string[];
};

/** How the sources of tsos are read. */
export function sourceOptions({ installation, entry, outFolder }: GenerateInit): ts.CompilerOptions {
  return {
    target: ts.ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: ["node"],
    strict: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    skipLibCheck: true,
    declaration: true,
    declarationMap: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    rootDir: installation,
    outDir: outFolder,
    paths: { tsos: [entry] },
  };
}

/**
 * The declarations of the public API, of the package set and of all options, for users' programs in place of the
 * sources: what is inferred of the sources is computed once, here.
 */
export function generateDeclarations(init: GenerateInit): Declarations {
  const { installation, entry, outFolder } = init;
  const options = sourceOptions(init);
  const host = cachingHost(options);
  const program = ts.createProgram({ rootNames: [entry], options, host });
  const files = new Map<string, string>();
  const registry = join(installation, "core/option/registry.ts");
  const reader = createOptionTreeReader(program, registry);
  const declarationOf = (source: string): string => (source.endsWith(".d.ts") ? source : join(outFolder, relative(installation, source).replace(/\.ts$/, ".d.ts")));
  const trees = [
    { registry: "OptionModules", own: "DeclaredOptions", root: "SystemOptions", file: join(outFolder, "options/system.d.ts") },
    { registry: "ShellOptionModules", own: "DeclaredShellOptions", root: "ShellOptions", file: join(outFolder, "options/shell.d.ts") },
  ] as const;
  for (const { registry, root, file } of trees) {
    for (const [path, text] of formatDeclarations({ root: reader.read(registry, root), file, declarationOf })) files.set(path, text);
  }
  // A program without modules: to check the sources' own declarations beside them would cost their number squared.
  const roots = ["core/index.ts", "core/shell/shell-module.ts", "pkgs/index.ts"].map((file) => join(installation, file));
  const sourceProgram = ts.createProgram({ rootNames: roots, options, host });
  emitSources(sourceProgram, installation, files);
  const packageSet = sourceProgram.getSourceFile(join(installation, "pkgs/all-packages.ts"));
  if (packageSet === undefined) throw new Error("assertion failed: the package set is not in the program");
  const packages = declarationOf(packageSet.fileName);
  files.set(`${packages}.map`, leadToPackages(packageSet, sourceProgram.getTypeChecker(), { file: packages, text: files.get(packages) ?? "" }, files.get(`${packages}.map`) ?? ""));
  files.set(join(outFolder, "options/index.d.ts"), [
    ...trees.map(({ root, file }) => `import type { ${root} } from "./${relative(join(outFolder, "options"), file)}";`),
    'declare module "../core/option/registry.d.ts" {',
    ...trees.map(({ own, root }) => `  interface ${own} extends ${root} {}`),
    "}\n",
  ].join("\n"));
  files.set(join(outFolder, "tsos.d.ts"), [
    "/** What `import … from \"tsos\"` means to the type checker: the authoring API and the types of all packages and modules. */",
    'import "./options/index.d.ts";',
    // What adds to interfaces of other files, though nothing is imported from it.
    ...augmenting(files, outFolder).map((path) => `import "./${path}";`),
    'export * from "./core/index.d.ts";',
    CONSOLE,
  ].join("\n"));
  const sources = program.getSourceFiles().map(({ fileName }) => fileName).filter((name) => !name.includes(`${sep}node_modules${sep}`));
  return { files: reachable(join(outFolder, "tsos.d.ts"), files), sources };
}

/** What a configuration may say to its author; Node's own declarations and the browser's merge with it. */
const CONSOLE = `declare global {
  interface Console {
${["debug", "dir", "error", "info", "log", "trace", "warn"].map((name) => `    ${name}(...data: any[]): void;`).join("\n")}
  }
  var console: Console;
}
`;

/** A host that parses each file once, however many programs it is part of. */
export function cachingHost(options: ts.CompilerOptions): ts.CompilerHost {
  const host = createCompilerHost(options, { ...ts.sys, realpath: (path) => ts.sys.realpath?.(path) ?? path }, ts.JSDocParsingMode.ParseAll);
  const parsed = new Map<string, ts.SourceFile | undefined>();
  return {
    ...host,
    getSourceFile(name, ...rest) {
      if (!parsed.has(name)) parsed.set(name, host.getSourceFile(name, ...rest));
      return parsed.get(name);
    },
  };
}

/** The declarations of `core` and `pkgs`. What modules declare of options stands in the trees. */
function emitSources(program: ts.Program, installation: string, files: Map<string, string>): void {
  const folders = ["core", "pkgs"].map((folder) => join(installation, folder) + sep);
  for (const source of program.getSourceFiles()) {
    if (source.isDeclarationFile || !folders.some((folder) => source.fileName.startsWith(folder))) continue;
    program.emit(source, (path, text) => files.set(path, text), undefined, true, { afterDeclarations: [withoutOptionModules] });
  }
}

function augmenting(files: ReadonlyMap<string, string>, outFolder: string): readonly string[] {
  return [...files].filter(([path, text]) => path.endsWith(".d.ts") && !path.startsWith(join(outFolder, "options") + sep) && /^declare module "/m.test(text)).map(([path]) => relative(outFolder, path)).sort();
}

/** The files that `entry` imports, or what it imports does, with their maps. */
function reachable(entry: string, files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const reached = new Map<string, string>();
  const visit = (path: string): void => {
    const text = files.get(path);
    if (text === undefined || reached.has(path)) return;
    reached.set(path, text);
    const map = files.get(`${path}.map`);
    if (map !== undefined) reached.set(`${path}.map`, map);
    for (const { fileName } of ts.preProcessFile(text, true, false).importedFiles) {
      if (fileName.startsWith(".")) visit(join(dirname(path), fileName.replace(/(?<!\.d)\.ts$/, ".d.ts")));
    }
  };
  visit(entry);
  return reached;
}

const REGISTRIES: ReadonlySet<string> = new Set(["OptionModules", "ShellOptionModules"]);

/** Leaves out what a source adds to the registries of modules: the generated trees have it. */
const withoutOptionModules: ts.TransformerFactory<ts.SourceFile | ts.Bundle> = (context) => {
  const visit = (node: ts.Node): ts.Node | undefined => {
    if (ts.isInterfaceDeclaration(node) && REGISTRIES.has(node.name.text)) return undefined;
    return ts.isModuleDeclaration(node) || ts.isModuleBlock(node) ? ts.visitEachChild(node, visit, context) : node;
  };
  return (file) => (ts.isSourceFile(file) && !file.fileName.endsWith("/core/option/registry.ts") ? ts.visitEachChild(file, visit, context) : file);
};
