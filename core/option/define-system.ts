import type { Checked, Definitions, Unwritten, Written } from "./config-types.ts";
import type { DeclaringParts, SystemFunction } from "./define-module.ts";
import { createConfiguration } from "./create-configuration.ts";
import type { Module } from "./module.ts";
import type { ForeignTypes, ModuleArguments } from "./registry.ts";

/** The configuration of a machine: what `system.config.ts` exports. */
export type SystemConfig = {
  readonly kind: "system-config";
  readonly modules: readonly Module[];
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly specialArgs: Readonly<Record<string, unknown>>;
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
  C extends object = (SystemFunction | Definitions) & Unwritten,
  D extends object = (SystemFunction | Definitions) & Unwritten,
  A extends Readonly<Record<string, unknown>> = Record<never, never>,
>(
  system: S extends (...args: never) => unknown
    ? Checked<S, ModuleArguments, Definitions>
    : DeclaringParts<A> & {
        /** Arguments of every function of every module, by name; `imports` can be a function of them. */
        readonly specialArgs?: A;
        readonly config?: Checked<C, ModuleArguments & A, Definitions>;
        readonly defaults?: Checked<D, ModuleArguments & A, Definitions>;
        /** Sources outside of the project, locked in `tsos.lock`: what `defineInputs` gives, or what it takes. */
        readonly inputs?: Readonly<Record<string, ForeignTypes extends { readonly inputLike: infer Like } ? Like : unknown>>;
      } & Written<"config", C, ModuleArguments & A, Definitions> &
        Written<"defaults", D, ModuleArguments & A, Definitions>,
): SystemConfig {
  return createConfiguration("system-config", system, new Error("defineSystem"), "defineSystem");
}
