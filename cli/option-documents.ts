import { relative } from "node:path";
import type { ModuleDescription, OptionDescription, ValueDescription } from "../core/config/option-description.ts";
import { formatOptionPath } from "../core/option/option-path.ts";
import type { ListedOption } from "../core/interop/types/list-pinned-options.ts";
import { compareUtf8 } from "../core/util/ordering.ts";

/** What the documentation says of one option; the same on every machine. */
export type OptionDocument = {
  readonly name: string;
  readonly path: readonly string[];
  readonly type: string;
  readonly typescript: string;
  readonly description: string | undefined;
  readonly default: ValueDescription | undefined;
  readonly example: ValueDescription | undefined;
  readonly readOnly: boolean;
  readonly relatedPackages: readonly string[];
  /** Files, relative to tsos or to the project. */
  readonly declaredIn: readonly string[];
};

/** The options that are for people, sorted by name, without places of this machine. */
export function documentOptions(options: readonly OptionDescription[], modules: readonly ModuleDescription[], folders: readonly string[]): readonly OptionDocument[] {
  return options
    .filter((option) => !option.internal)
    .map((option) => ({
      name: formatOptionPath(option.path),
      path: option.path,
      type: option.type,
      typescript: option.typescript,
      description: option.description,
      default: option.default,
      example: option.example,
      readOnly: option.readOnly,
      relatedPackages: option.relatedPackages,
      declaredIn: [...new Set(option.declarations.map(({ module }) => fileOf(modules[module]!, folders)))],
    }))
    .sort((a, b) => compareUtf8(a.name, b.name));
}

/** The options of a pinned tree in the same form. */
export function documentPinnedOptions(options: readonly ListedOption[]): readonly OptionDocument[] {
  return options
    .map(({ path, type, typescript, description, file, readOnly, ...option }) => ({ name: formatOptionPath(path), path, type, typescript, description, default: textOf(option.default), example: textOf(option.example), readOnly, relatedPackages: [], declaredIn: file === undefined ? [] : [file] }))
    .sort((a, b) => compareUtf8(a.name, b.name));
}

function textOf(text: string | undefined): ValueDescription | undefined {
  return text === undefined ? undefined : { text };
}

function fileOf({ label, at }: ModuleDescription, folders: readonly string[]): string {
  if (at === undefined) return label;
  const inside = folders.map((folder) => relative(folder, at.file)).find((path) => !path.startsWith(".."));
  return inside ?? at.file;
}
