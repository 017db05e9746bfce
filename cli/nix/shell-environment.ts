import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Derivation } from "../../core/derivation/derivation.ts";
import { afterSetup, beforeSetup, KEPT_IN_PURE_SHELL, removeAtExit } from "./after-setup.ts";
import { derivationEnvironment } from "./derivation-environment.ts";

export type ShellOptions = {
  readonly derivation: Derivation;
  readonly storeDir: string;
  /** For this shell alone; it removes the folder when it ends. */
  readonly folder: string;
  /** The bash that runs it. */
  readonly bash: string;
  readonly pure: boolean;
  readonly keep: ReadonlySet<string>;
  /** 0: all of the machine. */
  readonly cores: number;
  readonly isRoot: boolean;
  /** Run when the shell is set up; then it ends. */
  readonly command: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** The environment of a derivation's builder, and the file that bash reads first. Nix: src/nix/nix-build */
export function prepareShell(options: ShellOptions): { readonly env: Readonly<Record<string, string>>; readonly rcFile: string } {
  const { derivation, folder, storeDir } = options;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.env)) {
    if (value !== undefined && (!options.pure || KEPT_IN_PURE_SHELL.has(name) || options.keep.has(name))) env[name] = value;
  }
  // Else a login script of the machine would set its own environment.
  if (options.pure) env["__ETC_PROFILE_SOURCED"] = "1";
  const { env: given, files, declarations } = derivationEnvironment(derivation, storeDir, options.cores > 0 ? options.cores : availableParallelism(), folder);
  Object.assign(env, given);
  for (const [name, contents] of Object.entries(files)) writeFileSync(join(folder, name), contents, "latin1");
  const rcFile = join(folder, "rc");
  writeFileSync(rcFile, formatRcFile(options, declarations));
  return { env, rcFile };
}

function formatRcFile({ folder, bash, pure, isRoot, command, env }: ShellOptions, declarations: string): string {
  return [
    ...removeAtExit(folder),
    ...beforeSetup(pure),
    "unset PATH",
    "dontAddDisableDepTrack=1",
    declarations.trimEnd(),
    "[ -e $stdenv/setup ] && source $stdenv/setup",
    ...afterSetup({ bash, pure, env, isRoot }),
    command,
    "",
  ].join("\n");
}
