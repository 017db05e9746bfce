import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { formatOptionTypes } from "./format-option-types.ts";
import { formatPackageTypes } from "./format-package-types.ts";
import { readPackageFacts } from "./package-facts.ts";
import { PINNED_HOME, PINNED_TREE, type PinnedOptions, type PinnedTree } from "./pinned-tree-expression.ts";

/** Raised when the same tree gives other declarations than before. */
const FORMAT = 6;

/** Beside the declarations: the options as data, for commands that look for one. */
const OPTIONS_FILE = "options.json";

/** Where the declarations of a tree are kept, one folder for each tree, and for each of home-manager with one of nixpkgs. */
export function pinnedTypesFolder(cacheDir: string, ...narHashes: readonly string[]): string {
  return join(cacheDir, "pinned-types", [FORMAT, ...narHashes.map((narHash) => narHash.replace(/^sha256-/, "").replace(/[^A-Za-z0-9]/g, "_"))].join("-"));
}

/** The options that declarations were made of; undefined where the tree has none. */
export function readPinnedOptions(folder: string): PinnedOptions | undefined {
  const file = join(folder, OPTIONS_FILE);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as PinnedOptions) : undefined;
}

export type MakePinnedTypes = {
  /** The tree's folder on this machine. */
  readonly tree: string;
  /** For a tree of home-manager: that of nixpkgs whose packages it is used with. */
  readonly nixpkgs?: string | undefined;
  readonly folder: string;
  /** The words that evaluate Nix: `[node, tsos.js, "nix"]`. */
  readonly nix: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Declarations of a tree's packages and options, in a process of its own for what has to be evaluated. They appear as a
 * whole or not at all; what is there already stays.
 *
 * @throws TsosError `types.failed`
 */
export async function makePinnedTypes({ tree, nixpkgs, folder, nix, env, signal }: MakePinnedTypes): Promise<void> {
  if (existsSync(join(folder, "index.d.ts"))) return;
  const temporary = `${folder}.tmp-${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    const isHome = nixpkgs !== undefined;
    const [evaluated, facts] = await Promise.all([evaluateTree(tree, nixpkgs, { nix, env, signal }), Promise.resolve().then(() => (isHome ? undefined : readPackageFacts(tree)))]);
    const files = new Map(facts === undefined ? [] : formatPackageTypes(evaluated.names, facts));
    if (evaluated.options !== null) {
      for (const [name, text] of formatOptionTypes(evaluated.options, isHome ? "home-manager's" : "NixOS'")) files.set(name, text);
      files.set(OPTIONS_FILE, JSON.stringify(evaluated.options));
    }
    const parts = [...(isHome ? [] : ["Packages"]), ...(evaluated.options === null ? [] : ["Options"])];
    files.set("index.d.ts", parts.map((part) => `export type { ${part} } from "./${part.toLowerCase()}.d.ts";\n`).join(""));
    for (const [name, text] of files) writeFileSync(join(temporary, name), text);
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function evaluateTree(tree: string, nixpkgs: string | undefined, { nix, env, signal }: Pick<MakePinnedTypes, "nix" | "env" | "signal">): Promise<PinnedTree> {
  const [command = process.execPath, ...words] = nix;
  const pathArgument = (name: string, path: string): readonly string[] => ["--arg", name, JSON.stringify(path).replace(/^"(.*)"$/, (_, text: string) => `(/. + "${text}")`)];
  const expression = nixpkgs === undefined ? ["-E", PINNED_TREE] : ["-E", PINNED_HOME, ...pathArgument("nixpkgs", nixpkgs)];
  return new Promise((resolve, reject) => {
    execFile(command, [...words, "instantiate", "--eval", "--strict", "--json", ...expression, ...pathArgument("tree", tree)], { env, signal, maxBuffer: 1 << 29, encoding: "utf8" }, (error, stdout, stderr) => {
      if (error !== null) reject(new TsosError({ code: "types.failed", message: `the types of "${tree}" cannot be made: ${stderr.trim() === "" ? `the evaluation ended with ${String(error.code ?? error.signal)}` : stderr.slice(stderr.lastIndexOf("error:"))}`.trim() }));
      else resolve(JSON.parse(stdout) as PinnedTree);
    });
  });
}
