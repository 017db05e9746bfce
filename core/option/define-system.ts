import type { Definitions, Result } from "./config-types.ts";
import type { ModuleParts } from "./define-module.ts";
import type { Modified } from "./modifier.ts";
import { createModule } from "./module.ts";
import type { Module } from "./module.ts";
import type { OptionTree } from "./option.ts";
import type { ModuleArguments } from "./registry.ts";

/** The configuration of a machine: what `system.config.ts` exports. */
export type SystemConfig = {
  readonly kind: "system-config";
  readonly modules: readonly Module[];
  readonly inputs: Readonly<Record<string, unknown>>;
};

/**
 * The configuration of a machine, as a function of itself, or as a module with imports and options.
 *
 * @example
 * export default defineSystem(({ pkgs }) => ({
 *   networking: { hostName: "web" },
 *   services: { openssh: { enable: true } },
 *   environment: { systemPackages: [pkgs.git] },
 * }));
 */
export function defineSystem<R extends Definitions = Definitions, D extends Definitions = Definitions>(
  system:
    | ((args: ModuleArguments) => Result<R, Definitions>) | ((args: ModuleArguments) => Modified<Definitions>)
    | (ModuleParts & {
        readonly options?: OptionTree;
        readonly defaults?: ((args: ModuleArguments) => Result<D, Definitions>) | ((args: ModuleArguments) => Modified<Definitions>);
        readonly config?: ((args: ModuleArguments) => Result<R, Definitions>) | ((args: ModuleArguments) => Modified<Definitions>) | Definitions;
        /** Sources outside the project, locked in `tsos.lock`. */
        readonly inputs?: Readonly<Record<string, unknown>>;
      }),
): SystemConfig {
  const origin = new Error("defineSystem");
  const parts = typeof system === "function" ? { config: system } : system;
  const inputs = typeof system === "function" ? {} : (system.inputs ?? {});
  return { kind: "system-config", modules: [createModule(parts, origin, "defineSystem")], inputs };
}
