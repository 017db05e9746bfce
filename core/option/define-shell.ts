import type { Checked, ShellDefinitions } from "./config-types.ts";
import type { DeclaringParts } from "./define-module.ts";
import type { Definable } from "./modifier.ts";
import { createModule } from "./module.ts";
import type { Module } from "./module.ts";
import type { ForeignTypes, ShellArguments } from "./registry.ts";

/** The configuration of a project's tools: what `shell.config.ts` exports. */
export type ShellConfiguration = {
  readonly kind: "shell-config";
  readonly modules: readonly Module[];
  readonly inputs: Readonly<Record<string, unknown>>;
};

/**
 * A dev shell.
 *
 * @example
 * export default defineShell(({ pkgs }) => ({ packages: [pkgs.go, pkgs.delve, pkgs.gopls] }));
 */
export function defineShell<
  S extends object = ShellFunction | Record<never, never>,
  C extends object = ShellFunction,
  D extends object = ShellFunction,
>(
  shell: S extends (...args: never) => unknown
    ? Checked<S, ShellArguments, ShellDefinitions>
    : DeclaringParts & {
        readonly config?: Checked<C, ShellArguments, ShellDefinitions>;
        readonly defaults?: Checked<D, ShellArguments, ShellDefinitions>;
        /** Sources outside of the project, locked in `tsos.lock`: what `defineInputs` gives, or what it takes. */
        readonly inputs?: Readonly<Record<string, ForeignTypes extends { readonly inputLike: infer Like } ? Like : unknown>>;
      },
): ShellConfiguration {
  const origin = new Error("defineShell");
  // Its parts are what the parameter's type asks for.
  const parts = (typeof shell === "function" ? { config: shell } : shell) as Partial<Module> & { readonly inputs?: ShellConfiguration["inputs"] };
  return { kind: "shell-config", modules: [createModule(parts, origin, "defineShell")], inputs: parts.inputs ?? {} };
}

/** The function form of a dev shell, by which an editor completes. */
export type ShellFunction = (args: ShellArguments) => Definable<ShellDefinitions>;
