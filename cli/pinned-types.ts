import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { openProjectInputs } from "../core/config/project-inputs.ts";
import type { InputTypes } from "../core/interop/types/input-types.ts";
import { isNixpkgs } from "../core/interop/types/is-nixpkgs.ts";
import { makePinnedTypes, pinnedTypesFolder } from "../core/interop/types/make-pinned-types.ts";
import type { DeclaredInput } from "../core/option/declared-input.ts";
import type { CommandContext } from "./context.ts";
import { inputSettings } from "./evaluation.ts";
import { readInputTypes, writeInputTypes } from "./input-types.ts";
import { findInstallation } from "./installation.ts";

/**
 * Makes the types of the trees of nixpkgs that a project's inputs are locked to, where they are not there yet, and says to
 * the compiler where they lie. Gives the names of these inputs.
 */
export async function makeTypesOfInputs(context: CommandContext, project: string, configurations: readonly { readonly file: string; readonly declared: readonly DeclaredInput[] }[]): Promise<readonly string[]> {
  const made = new Map<string, InputTypes>();
  const nix = [process.execPath, join(findInstallation(), "bin/tsos.js"), "nix"];
  for (const { file, declared } of configurations) {
    const inputs = openProjectInputs(project, file, { ...inputSettings(context), locked: true });
    for (const input of declared) {
      if (made.has(input.name)) continue;
      const { narHash } = await inputs.fetch(input);
      const tree = inputs.root(input.name);
      if (!isNixpkgs(tree)) continue;
      const folder = pinnedTypesFolder(context.places.cache, narHash);
      await makePinnedTypes({ tree, folder, nix, env: { ...context.env, NIX_PATH: "", NIX_CONFIG: "eval-cache = false", TSOS_NIX_MEGABYTES: "1100" }, signal: context.signal });
      made.set(input.name, { name: input.name, types: { folder, hasOptions: existsSync(join(folder, "options.d.ts")) } });
    }
  }
  if (made.size === 0) return [];
  const names = new Set(configurations.flatMap(({ declared }) => declared.map(({ name }) => name)));
  writeInputTypes(project, [...made.values(), ...readInputTypes(project).filter(({ name }) => names.has(name) && !made.has(name))]);
  return [...made.keys()];
}

/** Starts the same in a process of its own, which goes on when this one has ended. */
export function makeTypesInBackground(context: CommandContext, configFlag: string | undefined): void {
  mkdirSync(context.places.cache, { recursive: true });
  const log = openSync(join(context.places.cache, "pinned-types.log"), "a", 0o600);
  const words = [join(findInstallation(), "bin/tsos.js"), "update", "--types", ...(configFlag === undefined ? [] : ["-c", configFlag])];
  spawn(process.execPath, words, { cwd: context.folder, env: context.env, detached: true, stdio: ["ignore", log, log] }).unref();
}
