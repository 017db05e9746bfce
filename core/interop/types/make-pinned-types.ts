import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { formatOptionTypes } from "./format-option-types.ts";
import { formatPackageTypes } from "./format-package-types.ts";
import { readPackageFacts } from "./package-facts.ts";
import { PINNED_TREE, type PinnedTree } from "./pinned-tree-expression.ts";

/** Raised when the same tree gives other declarations than before. */
const FORMAT = 2;

/** Where the declarations of a tree are kept, one folder for each tree. */
export function pinnedTypesFolder(cacheDir: string, narHash: string): string {
  return join(cacheDir, "pinned-types", `${FORMAT}-${narHash.replace(/^sha256-/, "").replace(/[^A-Za-z0-9]/g, "_")}`);
}

export type MakePinnedTypes = {
  /** The tree's folder on this machine. */
  readonly tree: string;
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
export async function makePinnedTypes({ tree, folder, nix, env, signal }: MakePinnedTypes): Promise<void> {
  if (existsSync(join(folder, "index.d.ts"))) return;
  const temporary = `${folder}.tmp-${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    const [evaluated, facts] = await Promise.all([evaluateTree(tree, { nix, env, signal }), Promise.resolve().then(() => readPackageFacts(tree))]);
    const files = new Map(formatPackageTypes(evaluated.names, facts));
    if (evaluated.options !== null) for (const [name, text] of formatOptionTypes(evaluated.options)) files.set(name, text);
    const parts = evaluated.options === null ? ["Packages"] : ["Packages", "Options"];
    files.set("index.d.ts", parts.map((part) => `export type { ${part} } from "./${part.toLowerCase()}.d.ts";\n`).join(""));
    for (const [name, text] of files) writeFileSync(join(temporary, name), text);
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function evaluateTree(tree: string, { nix, env, signal }: Pick<MakePinnedTypes, "nix" | "env" | "signal">): Promise<PinnedTree> {
  const [command = process.execPath, ...words] = nix;
  return new Promise((resolve, reject) => {
    execFile(command, [...words, "instantiate", "--eval", "--strict", "--json", "-E", PINNED_TREE, "--arg", "tree", JSON.stringify(tree).replace(/^"(.*)"$/, (_, path: string) => `(/. + "${path}")`)], { env, signal, maxBuffer: 1 << 29, encoding: "utf8" }, (error, stdout, stderr) => {
      if (error !== null) reject(new TsosError({ code: "types.failed", message: `the types of "${tree}" cannot be made: ${stderr.trim() === "" ? `the evaluation ended with ${String(error.code ?? error.signal)}` : stderr.slice(stderr.lastIndexOf("error:"))}`.trim() }));
      else resolve(JSON.parse(stdout) as PinnedTree);
    });
  });
}
