import { TsosError } from "../error/tsos-error.ts";
import type { OverlayFunction } from "./foreign-types.ts";
import { createModule, isModule, isModuleList } from "./module.ts";
import type { Module, ModuleInput } from "./module.ts";
import { previewValue } from "./preview-value.ts";

/**
 * All modules that `inputs` are and import, each once, in the order in which their definitions are merged: what
 * a module imports comes before it, of two in a list the later first. Nix: lib/modules.nix, collectModules
 *
 * A module is known by its key, or by itself; so modules may import one another in a circle.
 * @throws TsosError `option.bad-import` for what is not a module.
 */
export function collectModules(inputs: readonly ModuleInput[]): readonly Module[] {
  const disabled = new Set<unknown>();
  const wrapped = new Map<ModuleInput, Module>();
  let found = closure(inputs, disabled, wrapped);
  // A disabled module does not disable others, but it is known to be disabled only when all are seen.
  for (;;) {
    const before = disabled.size;
    for (const module of found) for (const entry of module.disabledModules) for (const one of identities(entry)) disabled.add(one);
    if (disabled.size === before) return found.reverse();
    found = closure(inputs, disabled, wrapped);
  }
}

/** The overlays of all modules that `inputs` are and import, in the modules' order. */
export function collectOverlays(inputs: readonly ModuleInput[]): readonly OverlayFunction[] {
  return collectModules(inputs).flatMap(({ overlays }) => overlays);
}

function identities(entry: string | ModuleInput): readonly unknown[] {
  if (typeof entry === "string") return [entry];
  if (isModuleList(entry)) return [entry, ...entry.modules];
  return isModule(entry) && entry.key !== undefined ? [entry, entry.key] : [entry];
}

function closure(inputs: readonly ModuleInput[], disabled: ReadonlySet<unknown>, wrapped: Map<ModuleInput, Module>): Module[] {
  const seen = new Set<unknown>();
  const found: Module[] = [];
  const queue: Module[] = [];
  const add = (input: ModuleInput, importer: Module | undefined, index: number): void => {
    if (disabled.has(input)) return;
    if (isModuleList(input)) {
      input.modules.forEach((module) => add(module, importer, index));
      return;
    }
    const module = toModule(input, importer, index, wrapped);
    const identity = module.key ?? module;
    if (disabled.has(identity) || seen.has(identity)) return;
    seen.add(identity);
    queue.push(module);
  };
  inputs.forEach((input, index) => add(input, undefined, index));
  for (let i = 0; i < queue.length; i++) {
    const module = queue[i]!;
    found.push(module);
    module.imports.forEach((input, index) => add(input, module, index));
  }
  return found;
}

function toModule(input: unknown, importer: Module | undefined, index: number, wrapped: Map<ModuleInput, Module>): Module {
  if (isModule(input)) return input;
  if (typeof input === "function") {
    // `check` above is all that is known of a function; what it returns is checked when it has run.
    const config = input as ModuleInput & ((args: never) => unknown);
    const known = wrapped.get(config);
    if (known !== undefined) return known;
    const module = createModule({ config }, importer?.origin);
    wrapped.set(config, module);
    return module;
  }
  throw new TsosError({
    code: "option.bad-import",
    message: `imports[${index}] is ${previewValue(input)}; expected what defineModule returns`,
    hint:
      input === undefined
        ? "a module that is undefined here is imported in a circle, or its file has no default export"
        : "import modules with import … from \"./file.ts\", and let the file export default defineModule({ … })",
    data: { index, definitions: importer === undefined ? [] : [{ module: importer.key ?? importer.file, file: importer.file, stack: importer.origin?.stack, path: ["imports", `[${index}]`] }] },
  });
}
