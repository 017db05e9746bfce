import type { Checked, Definitions } from "./config-types.ts";
import type { DeclaringParts, SystemFunction } from "./define-module.ts";
import { createModule } from "./module.ts";
import type { Module } from "./module.ts";
import type { ForeignTypes, ModuleArguments } from "./registry.ts";

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
export function defineSystem<
  S extends object = SystemFunction | Record<never, never>,
  C extends object = SystemFunction,
  D extends object = SystemFunction,
>(
  system: S extends (...args: never) => unknown
    ? Checked<S, ModuleArguments, Definitions>
    : DeclaringParts & {
        readonly config?: Checked<C, ModuleArguments, Definitions>;
        readonly defaults?: Checked<D, ModuleArguments, Definitions>;
        /** Sources outside of the project, locked in `tsos.lock`: what `defineInputs` gives, or what it takes. */
        readonly inputs?: Readonly<Record<string, ForeignTypes extends { readonly inputLike: infer Like } ? Like : unknown>>;
      },
): SystemConfig {
  const origin = new Error("defineSystem");
  // Its parts are what the parameter's type asks for.
  const parts = (typeof system === "function" ? { config: system } : system) as Partial<Module> & { readonly inputs?: SystemConfig["inputs"] };
  return { kind: "system-config", modules: [createModule(parts, origin, "defineSystem")], inputs: parts.inputs ?? {} };
}
