import { TsosError } from "../error/tsos-error.ts";
import type { OverlayFunction } from "./foreign-types.ts";
import { lib } from "./lib.ts";
import { createModule, isModule, isModuleList } from "./module.ts";
import type { Module, ModuleInput } from "./module.ts";
import { previewValue } from "./preview-value.ts";

export type CollectedModules = {
  /** In the order in which their definitions are merged. */
  readonly modules: readonly Module[];
  /** Those that were given, and those of configurations among the modules; of one name that of the outermost. */
  readonly specialArgs: SpecialArgs;
};

type SpecialArgs = Readonly<Record<string, unknown>>;

/**
 * All modules that `inputs` are and import, each once, in the order in which their definitions are merged: what
 * a module imports comes before it, of two in a list the later first. Nix: lib/modules.nix, collectModules
 *
 * A module is known by its key, or by itself; so modules may import one another in a circle.
 * @param specialArgs what `imports` functions are given beside `lib`
 * @throws TsosError `option.bad-import` for what is not a module.
 */
export function collectModules(inputs: readonly ModuleInput[], specialArgs: SpecialArgs): CollectedModules {
  const collector: Collector = { disabled: new Set(), wrapped: new Map(), imported: new Map(), specialArgs };
  let found = closure(inputs, collector);
  // A disabled module does not disable others, but it is known to be disabled only when all are seen.
  for (;;) {
    const before = collector.disabled.size;
    for (const module of found) for (const entry of module.disabledModules) for (const one of identities(entry)) collector.disabled.add(one);
    if (collector.disabled.size === before) return { modules: found.reverse(), specialArgs: collector.specialArgs };
    found = closure(inputs, collector);
  }
}

/** The overlays of all modules that `inputs` are and import, in the modules' order. */
export function collectOverlays(inputs: readonly ModuleInput[], specialArgs: SpecialArgs): readonly OverlayFunction[] {
  return collectModules(inputs, specialArgs).modules.flatMap(({ overlays }) => overlays);
}

type Collector = {
  readonly disabled: Set<unknown>;
  /** Modules that were made of functions, so that each is one. */
  readonly wrapped: Map<ModuleInput, Module>;
  /** What `imports` functions returned: each is called once. */
  readonly imported: Map<Module, readonly ModuleInput[]>;
  specialArgs: SpecialArgs;
};

function identities(entry: string | ModuleInput): readonly unknown[] {
  if (typeof entry === "string") return [entry];
  if (isModuleList(entry)) return [entry, ...entry.modules];
  return isModule(entry) && entry.key !== undefined ? [entry, entry.key] : [entry];
}

function closure(inputs: readonly ModuleInput[], collector: Collector): Module[] {
  const { disabled } = collector;
  const seen = new Set<unknown>();
  const found: Module[] = [];
  const queue: Module[] = [];
  const add = (input: ModuleInput, importer: Module | undefined, index: number): void => {
    if (disabled.has(input)) return;
    if (isModuleList(input)) {
      collector.specialArgs = { ...input.specialArgs, ...collector.specialArgs };
      input.modules.forEach((module) => add(module, importer, index));
      return;
    }
    const module = toModule(input, importer, index, collector.wrapped);
    const identity = module.key ?? module;
    if (disabled.has(identity) || seen.has(identity)) return;
    seen.add(identity);
    queue.push(module);
  };
  inputs.forEach((input, index) => add(input, undefined, index));
  for (let i = 0; i < queue.length; i++) {
    const module = queue[i]!;
    found.push(module);
    importsOf(module, collector).forEach((input, index) => add(input, module, index));
  }
  return found;
}

function importsOf(module: Module, collector: Collector): readonly ModuleInput[] {
  const { imports } = module;
  if (typeof imports !== "function") return imports;
  const known = collector.imported.get(module);
  if (known !== undefined) return known;
  let found: unknown;
  try {
    // What a function takes is checked where it is written.
    found = (imports as (args: object) => unknown)(importArguments(collector.specialArgs, module));
  } catch (error) {
    if (error instanceof TsosError) throw error;
    throw badImport(module, [], `the imports of the module could not be computed: ${error instanceof Error ? error.message : String(error)}`, undefined, error);
  }
  if (!Array.isArray(found)) throw badImport(module, [], `the imports function returned ${previewValue(found)}; expected a list of modules`, "imports: ({ site }) => [site.module]");
  collector.imported.set(module, found as readonly ModuleInput[]);
  return found as readonly ModuleInput[];
}

// What is known only when the tree is settled. Nix's evaluation recurses without end here.
const LATER: ReadonlySet<string> = new Set(["config", "options", "pkgs", "root", "name", "extendModules"]);

function importArguments(specialArgs: SpecialArgs, module: Module): object {
  const own: Record<string, unknown> = { lib, ...specialArgs };
  delete own["pkgs"];
  delete own["extendModules"];
  return new Proxy(Object.freeze(own), {
    get: (target, key): unknown => {
      if (typeof key === "symbol") return undefined;
      if (Object.hasOwn(target, key)) return target[key];
      if (!LATER.has(key)) return undefined;
      throw badImport(
        module, [], `the imports of a module cannot depend on "${key}": which modules there are is known before anything is evaluated`,
        "import the module always, and let its config look: config: ({ config }) => config.services.x.enable ? { … } : {}; what hosts differ in belongs in specialArgs",
      );
    },
  });
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
  throw badImport(
    importer, [`[${index}]`], `imports[${index}] is ${previewValue(input)}; expected what defineModule returns`,
    input === undefined
      ? "a module that is undefined here is imported in a circle, its file has no default export, or no specialArgs has the name that it is taken from"
      : "import modules with import … from \"./file.ts\", and let the file export default defineModule({ … })",
  );
}

function badImport(importer: Module | undefined, path: readonly string[], message: string, hint?: string, cause?: unknown): TsosError {
  const definitions = importer === undefined ? [] : [{ module: importer.key ?? importer.file, file: importer.file, stack: importer.origin?.stack, path, part: "imports" }];
  return new TsosError({ code: "option.bad-import", message, hint, data: { ...(path.length === 0 ? {} : { index: Number(path[0]!.slice(1, -1)) }), definitions }, cause });
}
