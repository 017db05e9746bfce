import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findUsedModules, formatInputTypes, parseInputTypes, type InputTypes, type UsedModules } from "../core/interop/types/input-types.ts";
import type { DeclaredInput } from "../core/option/declared-input.ts";

/** The declarations of a project's inputs, as the compiler finds them. */
const INPUT_TYPES = ".tsos/inputs.d.ts";

/** A project has fewer folders; in a larger tree the rest is not looked at. */
const MOST_FOLDERS = 200;

/**
 * Says to the compiler which inputs there are beside those that it knows types of, until `tsos update` has made some.
 *
 * @returns whether it did not know
 */
export function declareInputs(project: string, declared: readonly Pick<DeclaredInput, "name">[]): boolean {
  const known = readInputTypes(project);
  const unknown = [...new Set(declared.map(({ name }) => name))].filter((name) => !known.some((one) => one.name === name));
  if (unknown.length === 0) return false;
  writeInputTypes(project, [...known, ...unknown.map((name) => ({ name, types: undefined }))]);
  return true;
}

/** Lets the compiler read the types of modules that a configuration sets, where none of the project did so before. */
export function declareUsedModules(project: string, file: string): void {
  const known = readFile(project);
  if (known === undefined || (known.used.nixos && known.used.home) || !existsSync(file)) return;
  const used = either(known.used, findUsedModules(readFileSync(file, "utf8")));
  if (used.nixos !== known.used.nixos || used.home !== known.used.home) write(project, known.inputs, used);
}

export function readInputTypes(project: string): readonly InputTypes[] {
  return readFile(project)?.inputs ?? [];
}

export function writeInputTypes(project: string, inputs: readonly InputTypes[]): void {
  write(project, inputs, findModulesOfProject(project));
}

function readFile(project: string): ReturnType<typeof parseInputTypes> {
  const file = join(project, INPUT_TYPES);
  return existsSync(file) ? parseInputTypes(readFileSync(file, "utf8")) : undefined;
}

function write(project: string, inputs: readonly InputTypes[], used: UsedModules): void {
  const file = join(project, INPUT_TYPES);
  const text = formatInputTypes(inputs, used);
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  mkdirSync(join(file, ".."), { recursive: true });
  // Paths of this machine: nothing for others.
  writeFileSync(join(file, "../.gitignore"), "*\n");
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}

/** Whose modules the files of a project set. */
function findModulesOfProject(project: string): UsedModules {
  let used: UsedModules = { nixos: false, home: false };
  const folders = [project];
  for (let at = 0; at < Math.min(folders.length, MOST_FOLDERS); at++) {
    for (const entry of readdirSync(folders[at]!, { withFileTypes: true })) {
      const path = join(folders[at]!, entry.name);
      if (entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith(".")) folders.push(path);
      else if (entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts")) used = either(used, findUsedModules(readFileSync(path, "utf8")));
      if (used.nixos && used.home) return used;
    }
  }
  return used;
}

function either(a: UsedModules, b: UsedModules): UsedModules {
  return { nixos: a.nixos || b.nixos, home: a.home || b.home };
}
