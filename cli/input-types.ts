import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatInputTypes, parseInputTypes, type InputTypes } from "../core/interop/types/input-types.ts";
import type { DeclaredInput } from "../core/option/declared-input.ts";

/** The declarations of a project's inputs, as the compiler finds them. */
const INPUT_TYPES = ".tsos/inputs.d.ts";

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

export function readInputTypes(project: string): readonly InputTypes[] {
  const file = join(project, INPUT_TYPES);
  return existsSync(file) ? parseInputTypes(readFileSync(file, "utf8")) : [];
}

export function writeInputTypes(project: string, inputs: readonly InputTypes[]): void {
  const file = join(project, INPUT_TYPES);
  const text = formatInputTypes(inputs);
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  mkdirSync(join(file, ".."), { recursive: true });
  // Paths of this machine: nothing for others.
  writeFileSync(join(file, "../.gitignore"), "*\n");
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
}
