import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { TsosError } from "../core/error/tsos-error.ts";
import type { CommandContext } from "./context.ts";

export type ConfigKind = "system" | "home" | "shell";

/** Every kind, in the order in which files of one folder are taken. */
export const CONFIG_KINDS: readonly ConfigKind[] = ["system", "home", "shell"];

/** The file named by `--config`, or the nearest `system.config.ts`, `home.config.ts` or `shell.config.ts`, from this folder upwards. */
export function findConfig(context: CommandContext, kinds: readonly ConfigKind[]): string | undefined {
  if (context.flags.config !== undefined) {
    const file = resolve(context.folder, context.flags.config);
    if (!existsSync(file)) throw new TsosError({ code: "cli.missing-config", message: `there is no file "${file}"`, hint: "--config names the configuration file" });
    return file;
  }
  for (let folder = context.folder; ; folder = dirname(folder)) {
    for (const kind of kinds) {
      const file = join(folder, `${kind}.config.ts`);
      if (existsSync(file)) return file;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** @throws TsosError `cli.no-config` */
export function getConfig(context: CommandContext, kinds: readonly ConfigKind[]): string {
  const file = findConfig(context, kinds);
  if (file !== undefined) return file;
  const names = kinds.map((kind) => `${kind}.config.ts`).join(", ").replace(/, (?=[^,]*$)/, " or ");
  const other = findConfig(context, CONFIG_KINDS);
  throw new TsosError({
    code: "cli.no-config",
    message: `there is no ${names} in "${context.folder}" or above it`,
    hint: other !== undefined ? `there is "${relative(context.folder, other) || other}", for tsos shell, check and eval OPTION.PATH` : `make one with "tsos init${kinds[0] === "system" ? " server" : ""}", or name a file with --config`,
  });
}
