import type { Checked, ShellDefinitions, Unwritten, Written } from "./config-types.ts";
import type { DeclaringParts } from "./define-module.ts";
import type { Definable } from "./modifier.ts";
import { createConfiguration } from "./create-configuration.ts";
import type { Module } from "./module.ts";
import type { ForeignTypes, ShellArguments } from "./registry.ts";

/** The configuration of a project's tools: what `shell.config.ts` exports. */
export type ShellConfiguration = {
  readonly kind: "shell-config";
  readonly modules: readonly Module[];
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly specialArgs: Readonly<Record<string, unknown>>;
};

/**
 * A dev shell.
 *
 * @example
 * export default defineShell(({ pkgs }) => ({ packages: [pkgs.go, pkgs.delve, pkgs.gopls] }));
 */
export function defineShell<
  S extends object = ShellFunction | Record<never, never>,
  C extends object = (ShellFunction | ShellDefinitions) & Unwritten,
  D extends object = (ShellFunction | ShellDefinitions) & Unwritten,
  A extends Readonly<Record<string, unknown>> = Record<never, never>,
>(
  shell: S extends (...args: never) => unknown
    ? Checked<S, ShellArguments, ShellDefinitions>
    : DeclaringParts<A> & {
        /** Arguments of every function of every module, by name; `imports` can be a function of them. */
        readonly specialArgs?: A;
        readonly config?: Checked<C, ShellArguments & A, ShellDefinitions>;
        readonly defaults?: Checked<D, ShellArguments & A, ShellDefinitions>;
        /** Sources outside of the project, locked in `tsos.lock`: what `defineInputs` gives, or what it takes. */
        readonly inputs?: Readonly<Record<string, ForeignTypes extends { readonly inputLike: infer Like } ? Like : unknown>>;
      } & Written<"config", C, ShellArguments & A, ShellDefinitions> &
        Written<"defaults", D, ShellArguments & A, ShellDefinitions>,
): ShellConfiguration {
  return createConfiguration("shell-config", shell, new Error("defineShell"), "defineShell");
}

/** The function form of a dev shell, by which an editor completes. */
export type ShellFunction = (args: ShellArguments) => Definable<ShellDefinitions>;
