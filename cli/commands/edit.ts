import { relative } from "node:path";
import { formatSourcePosition } from "../../core/error/source-position.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { formatOptionPath } from "../../core/option/option-path.ts";
import type { CommandContext } from "../context.ts";
import { ConfigSource } from "../edit/config-source.ts";
import { addPackagesTo, removePackagesFrom, setOptionIn, type EditedConfig } from "../edit/edit-config.ts";
import { openConfig, writeConfig, type OpenConfig } from "../edit/write-config.ts";
import { evaluate } from "../evaluation.ts";
import { ExitCode } from "../exit-code.ts";
import { getConfig } from "../find-config.ts";
import { UsageError } from "../usage-error.ts";
import { getPackage, listPackages } from "./pkg.ts";

/** Adds packages to the list of the nearest configuration file. */
export async function addPackages(context: CommandContext, args: { readonly packages: readonly string[] }): Promise<number> {
  const names = args.packages.map(bareName);
  const file = getConfig(context, ["shell", "system", "home"]);
  const config = openConfig(file);
  // Of a system of Nix modules the trial evaluation knows the names.
  if (!isOfNixModules(await ConfigSource.parse(config.file, config.text))) {
    const known = await listPackages(context, file);
    // `openssl.dev` is an output of one that is known.
    for (const name of names) getPackage(known, name.split(".")[0] ?? name);
  }
  const edited = await addPackagesTo(config.file, config.text, names);
  return finish(context, config, edited, { packages: names }, `added ${list(names)}`, `${list(names)} ${names.length === 1 ? "is" : "are"} there already`);
}

/** Removes packages from the list of the nearest configuration file. */
export async function removePackages(context: CommandContext, args: { readonly packages: readonly string[] }): Promise<number> {
  const names = args.packages.map(bareName);
  const config = openConfig(getConfig(context, ["shell", "system", "home"]));
  const edited = await removePackagesFrom(config.file, config.text, names);
  return finish(context, config, edited, { packages: names }, `removed ${list(names)}`, "nothing to remove");
}

/** Sets an option in the nearest configuration file that has it. */
export async function setOption(context: CommandContext, args: { readonly option: string; readonly value?: string; readonly "--"?: readonly string[] }): Promise<number> {
  const text = args.value ?? args["--"]?.[0];
  if (text === undefined) throw new UsageError({ code: "cli.usage", message: `"tsos set ${args.option}" needs a value`, hint: `tsos option show ${args.option} says of which type` });
  const file = getConfig(context, ["system", "home", "shell"]);
  const { result } = await evaluate(context, file, { kind: "option-value", path: args.option, text });
  const name = formatOptionPath(result.path);
  if (result.path.some((part) => part === "<name>" || part === "<item>")) {
    throw new TsosError({ code: "edit.placeholder", message: `"${name}" stands for many options`, hint: "write the name that you mean in place of <name>" });
  }
  const config = openConfig(file);
  const edited = await setOptionIn(config.file, config.text, result.path, result.source);
  return finish(context, config, edited, { option: name }, `set ${name}`, `${name} is that already`);
}

async function finish(context: CommandContext, config: OpenConfig, edited: EditedConfig, what: Readonly<Record<string, unknown>>, done: string, nothing: string): Promise<number> {
  const isChanged = edited.text !== config.text;
  if (isChanged) await writeConfig(context, config, edited);
  if (context.flags.json) context.print(JSON.stringify({ version: 1, file: config.file, changed: isChanged, at: edited.at, ...what }));
  else {
    const inside = relative(context.folder, config.file);
    context.say(`${isChanged ? done : nothing} (${formatSourcePosition({ ...edited.at, file: inside.startsWith("..") ? config.file : inside })})`);
  }
  return ExitCode.done;
}

function isOfNixModules({ kind }: ConfigSource): boolean {
  return kind === "nixos" || kind === "home";
}

function bareName(name: string): string {
  return name.replace(/^pkgs\./, "");
}

function list(names: readonly string[]): string {
  return names.map((name) => `pkgs.${name}`).join(", ");
}
