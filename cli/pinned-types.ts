import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { openProjectInputs } from "../core/config/project-inputs.ts";
import type { InputTypes } from "../core/interop/types/input-types.ts";
import { isHomeManager, isNixpkgs } from "../core/interop/types/is-nixpkgs.ts";
import { listPinnedOptions, type ListedOption } from "../core/interop/types/list-pinned-options.ts";
import { makePinnedTypes, pinnedTypesFolder, readPinnedOptions } from "../core/interop/types/make-pinned-types.ts";
import { TsosError } from "../core/error/tsos-error.ts";
import type { DeclaredInput } from "../core/option/declared-input.ts";
import type { CommandContext } from "./context.ts";
import { inputSettings } from "./evaluation.ts";
import { readInputTypes, writeInputTypes } from "./input-types.ts";
import { findInstallation } from "./installation.ts";

type Configurations = readonly { readonly file: string; readonly declared: readonly DeclaredInput[] }[];

/**
 * Makes the types of the trees of nixpkgs and home-manager that a project's inputs are locked to, where they are not there
 * yet, and says to the compiler where they lie. Gives the names of these inputs.
 */
export async function makeTypesOfInputs(context: CommandContext, project: string, configurations: Configurations): Promise<readonly string[]> {
  const made = new Map<string, InputTypes>();
  for (const { file, declared } of configurations) {
    for (const [name, types] of await typesOfConfiguration(context, project, file, declared, (input) => !made.has(input))) made.set(name, { name, types });
  }
  if (made.size === 0) return [];
  const names = new Set(configurations.flatMap(({ declared }) => declared.map(({ name }) => name)));
  writeInputTypes(project, [...made.values(), ...readInputTypes(project).filter(({ name }) => names.has(name) && !made.has(name))]);
  return [...made.keys()];
}

/** Where the declarations of one configuration's inputs lie, made now where they are not there; only of those that are asked for. */
export async function typesOfConfiguration(context: CommandContext, project: string, file: string, declared: readonly DeclaredInput[], isWanted: (name: string) => boolean): Promise<ReadonlyMap<string, NonNullable<InputTypes["types"]>>> {
  const inputs = openProjectInputs(project, file, { ...inputSettings(context), locked: true });
  const trees = new Map<string, { readonly narHash: string; readonly tree: string }>();
  for (const input of declared) {
    const { narHash } = await inputs.fetch(input);
    trees.set(input.name, { narHash, tree: inputs.root(input.name) });
  }
  const common = { nix: [process.execPath, join(findInstallation(), "bin/tsos.js"), "nix"], env: { ...context.env, NIX_PATH: "", NIX_CONFIG: "eval-cache = false", TSOS_NIX_MEGABYTES: "1100" }, signal: context.signal };
  const packages = trees.get("nixpkgs") ?? [...trees.values()].find(({ tree }) => isNixpkgs(tree));
  const found = new Map<string, NonNullable<InputTypes["types"]>>();
  for (const [name, { narHash, tree }] of trees) {
    if (!isWanted(name)) continue;
    const isHome = packages !== undefined && isHomeManager(tree);
    if (!isHome && !isNixpkgs(tree)) continue;
    const folder = isHome ? pinnedTypesFolder(context.places.cache, narHash, packages.narHash) : pinnedTypesFolder(context.places.cache, narHash);
    await makePinnedTypes({ ...common, tree, nixpkgs: isHome ? packages.tree : undefined, folder });
    found.set(name, { folder, hasPackages: !isHome, hasOptions: existsSync(join(folder, "options.d.ts")) });
  }
  return found;
}

/**
 * The options that an input's tree declares; the data is made now where it is not there.
 *
 * @throws TsosError `types.no-options`
 */
export async function listOptionsOfInput(context: CommandContext, project: string, file: string, declared: readonly DeclaredInput[], name: string): Promise<readonly ListedOption[]> {
  const types = (await typesOfConfiguration(context, project, file, declared, (input) => input === name)).get(name);
  const options = types === undefined ? undefined : readPinnedOptions(types.folder);
  if (options === undefined) throw new TsosError({ code: "types.no-options", message: `the input "${name}" is no tree whose options are known`, hint: "tsos option show OPTION.PATH asks the configuration itself" });
  return listPinnedOptions(options);
}

/** Starts the same in a process of its own, which goes on when this one has ended. */
export function makeTypesInBackground(context: CommandContext, configFlag: string | undefined): void {
  mkdirSync(context.places.cache, { recursive: true });
  const log = openSync(join(context.places.cache, "pinned-types.log"), "a", 0o600);
  const words = [join(findInstallation(), "bin/tsos.js"), "update", "--types", ...(configFlag === undefined ? [] : ["-c", configFlag])];
  spawn(process.execPath, words, { cwd: context.folder, env: context.env, detached: true, stdio: ["ignore", log, log] }).unref();
}
