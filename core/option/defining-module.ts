import type { DefiningModule } from "./definition.ts";
import type { Module } from "./module.ts";

/** What errors say of a module: the stack at which it was made is formatted only when one asks. */
export function definingModule(module: Module): DefiningModule {
  return new ModuleOrigin(module);
}

class ModuleOrigin implements DefiningModule {
  readonly #module: Module;

  constructor(module: Module) {
    this.#module = module;
  }

  get file(): string | undefined {
    return this.#module.file ?? this.#module.origin?.site?.module.file;
  }

  get stack(): string | undefined {
    return this.#module.origin?.stack;
  }

  get label(): string {
    return this.#module.key ?? this.#module.file ?? this.#module.origin?.site?.module.label ?? findCaller(this.stack) ?? "a module";
  }
}

/** The place that called the function at which a stack was taken: `file:line:column`. */
export function findCaller(stack: string | undefined): string | undefined {
  const frames = stack?.split("\n").filter((line) => /^\s+at /.test(line));
  const match = frames?.[1]?.match(/\(?([^\s()]+:\d+:\d+)\)?$/);
  return match?.[1];
}

/** What stands for tsos itself where a definition comes from no module. */
export function builtinOrigin(label: string): DefiningModule {
  return { label, file: undefined, stack: undefined };
}
