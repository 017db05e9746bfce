import type { Result, ShellDefinitions } from "./config-types.ts";
import type { ModuleParts } from "./define-module.ts";
import type { Modified } from "./modifier.ts";
import { createModule } from "./module.ts";
import type { Module } from "./module.ts";
import type { OptionTree } from "./option.ts";
import type { ShellArguments } from "./registry.ts";

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
export function defineShell<R extends ShellDefinitions = ShellDefinitions>(
  shell:
    | ((args: ShellArguments) => Result<R, ShellDefinitions>) | ((args: ShellArguments) => Modified<ShellDefinitions>)
    | (ModuleParts & {
        readonly options?: OptionTree;
        readonly config?: ((args: ShellArguments) => Result<R, ShellDefinitions>) | ((args: ShellArguments) => Modified<ShellDefinitions>) | ShellDefinitions;
        /** Sources outside the project, locked in `tsos.lock`. */
        readonly inputs?: Readonly<Record<string, unknown>>;
      }),
): ShellConfiguration {
  const origin = new Error("defineShell");
  const parts = typeof shell === "function" ? { config: shell } : shell;
  const inputs = typeof shell === "function" ? {} : (shell.inputs ?? {});
  return { kind: "shell-config", modules: [createModule(parts, origin, "defineShell")], inputs };
}
