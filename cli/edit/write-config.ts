import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { evaluateConfig } from "../../core/config/evaluate.ts";
import { openRuntimeFolder } from "../../core/config/runtime-folder.ts";
import { typeCheckConfig } from "../../core/config/type-check.ts";
import { formatCodeFrame } from "../../core/error/code-frame.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { CommandContext } from "../context.ts";
import { inputSettings, parsedFolder } from "../evaluation.ts";
import { findInstallation } from "../installation.ts";
import { ConfigSource } from "./config-source.ts";
import type { EditedConfig } from "./edit-config.ts";

/** The configuration file that an edit is for, with its text as it was read. */
export type OpenConfig = { readonly file: string; readonly text: string };

export function openConfig(file: string): OpenConfig {
  const real = realpathSync(file);
  return { file: real, text: readFileSync(real, "utf8") };
}

/**
 * Type-checks and evaluates the changed text beside the file, then puts it in the file's place in one step. What
 * is not sound is never written.
 *
 * @throws TsosError `edit.rejected`, `edit.changed-meanwhile`
 */
export async function writeConfig(context: CommandContext, config: OpenConfig, edited: EditedConfig): Promise<void> {
  const { file, text } = config;
  const { kind } = await ConfigSource.parse(file, edited.text);
  // In the same folder, so that what the file imports and its relative paths are found.
  const trial = join(dirname(file), `.tsos-edit-${process.pid}-${randomBytes(4).toString("hex")}${extname(file)}`);
  try {
    writeThrough(trial, edited.text, statSync(file).mode & 0o7777);
    try {
      const installation = findInstallation();
      const runtime = openRuntimeFolder(join(installation, "dist"));
      const checking = typeCheckConfig({ file: trial, installation, signal: context.signal });
      checking.catch(() => undefined);
      const { inputModules } = await evaluateConfig({ file: trial, request: { kind: kind === "shell" ? "shell" : "system" }, runtime, parsedFolder: parsedFolder(context), signal: context.signal, report: context.report, inputs: { ...inputSettings(context), configuration: file } });
      if (inputModules.length > 0) await typeCheckConfig({ file: trial, inputModules, installation, signal: context.signal });
      else await checking;
    } catch (error) {
      context.signal.throwIfAborted();
      throw rejected(error, trial, file, edited);
    }
    if (readFileSync(file, "utf8") !== text) {
      throw new TsosError({ code: "edit.changed-meanwhile", message: `"${file}" was changed by someone else meanwhile`, hint: "nothing was written; run the command again" });
    }
    renameSync(trial, file);
  } finally {
    rmSync(trial, { force: true });
  }
}

function writeThrough(file: string, text: string, mode: number): void {
  const handle = openSync(file, "wx", mode);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  // Whatever the umask says.
  chmodSync(file, mode);
}

function rejected(error: unknown, trial: string, file: string, edited: EditedConfig): unknown {
  const all: readonly unknown[] = error instanceof Error && "errors" in error && Array.isArray(error.errors) ? error.errors : [error];
  const [first] = all;
  if (!(first instanceof TsosError)) return error;
  const named = (text: string): string => text.replaceAll(trial, file).replaceAll(basename(trial), basename(file));
  const frame = first.at?.file === trial ? `the file would read:\n${formatCodeFrame(edited.text, first.at)}` : undefined;
  const hint = [first.hint === undefined ? undefined : named(first.hint), frame].filter((line) => line !== undefined).join("\n");
  return new TsosError({
    code: "edit.rejected",
    message: `the configuration would not be sound with this change, so "${basename(file)}" stays as it is`,
    at: edited.at,
    cause: new TsosError({ code: first.code, message: named(first.message), hint: hint === "" ? undefined : hint, at: first.at?.file === trial ? undefined : first.at, data: first.data }),
    data: { reason: first.code, message: named(first.message) },
  });
}
