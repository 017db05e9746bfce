import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PackageDescription } from "../../core/config/option-description.ts";
import { formatSourcePosition, type SourcePosition } from "../../core/error/source-position.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { parseStorePath } from "../../core/store-path/store-path.ts";
import { findNearestName } from "../../core/util/suggest.ts";
import type { CommandContext } from "../context.ts";
import { evaluate } from "../evaluation.ts";
import { ExitCode } from "../exit-code.ts";
import { CONFIG_KINDS, findConfig } from "../find-config.ts";
import { findInstallation } from "../installation.ts";
import { rankMatches } from "../rank-matches.ts";

const SHOWN = 40;

/** Packages that have all words in their name or description. */
export async function searchPackages(context: CommandContext, args: { readonly words: readonly string[] }): Promise<number> {
  const packages = await listPackages(context, findConfig(context, CONFIG_KINDS));
  const found = rankMatches(args.words, packages, ({ name, description = "", mainProgram = "" }) => ({ name, description: `${description} ${mainProgram}` }));
  if (context.flags.json) {
    context.print(JSON.stringify({ version: 1, words: args.words, packages: found }));
    return ExitCode.done;
  }
  const { bold, dim } = context.outStyle;
  for (const { name, version, description } of found.slice(0, SHOWN)) {
    context.print(`${bold(`pkgs.${name}`)} ${dim(version)}${description === undefined ? "" : `\n  ${description}`}`);
  }
  if (found.length === 0) context.say(`no package has ${args.words.map((word) => JSON.stringify(word)).join(" and ")} in its name or description`);
  if (found.length > SHOWN) context.say(`and ${found.length - SHOWN} more; another word narrows them down`);
  return ExitCode.done;
}

/** All that is known of one package, `NAME` or `pkgs.NAME`. */
export async function showPackage(context: CommandContext, args: { readonly name: string }): Promise<number> {
  const wanted = args.name.replace(/^pkgs\./, "");
  const file = findConfig(context, CONFIG_KINDS);
  const described = getPackage(await listPackages(context, file), wanted);
  const { result } = await evaluate(context, file, { kind: "package", name: described.name });
  const { drvPath, outputs, outPath } = result.package;
  const definedAt = described.isOverlaid ? undefined : findDefinition(described.name);
  const isInStore = await isValid(context, outPath);

  if (context.flags.json) {
    context.print(JSON.stringify({ version: 1, package: { ...described, outputs, outPath, drvPath, definedAt, isInStore } }));
    return ExitCode.done;
  }
  const { bold, dim } = context.outStyle;
  context.print(`${bold(`pkgs.${described.name}`)} ${described.version}`);
  if (described.description !== undefined) context.print(`  ${described.description}`);
  context.print("");
  const row = (title: string, text: string | undefined): void => {
    if (text !== undefined) context.print(`${dim(title.padEnd(11))}${text.split("\n").join(`\n${" ".repeat(11)}`)}`);
  };
  row("homepage", described.homepage);
  row("license", described.license);
  row("program", described.mainProgram);
  row("outputs", Object.entries(outputs).map(([name, path]) => `${name}  ${path}`).join("\n"));
  row("derivation", drvPath);
  row("in store", isInStore ? "yes" : `no; tsos build pkgs.${described.name} makes it`);
  row("defined", definedAt === undefined ? undefined : formatSourcePosition(definedAt));
  return ExitCode.done;
}

/** The packages of tsos, and what overlays of the configuration make of them. */
export async function listPackages(context: CommandContext, file: string | undefined): Promise<readonly PackageDescription[]> {
  const { result } = await evaluate(context, file, { kind: "package-list" });
  return result.packages;
}

/** @throws TsosError `package.unknown` with the nearest name */
export function getPackage(packages: readonly PackageDescription[], name: string): PackageDescription {
  const found = packages.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  const nearest = findNearestName(name, packages.map((candidate) => candidate.name));
  throw new TsosError({
    code: "package.unknown",
    message: `there is no package "${name}"`,
    hint: nearest === undefined ? `tsos pkg search ${name} looks for it` : `did you mean "${nearest}"?`,
    data: { name, nearest },
  });
}

/** The package's own page, and in it the call that defines it. */
function findDefinition(name: string): SourcePosition | undefined {
  const file = join(findInstallation(), "pkgs", "by-name", name.slice(0, 2).toLowerCase(), name, "package.ts");
  if (!existsSync(file)) return undefined;
  const line = readFileSync(file, "utf8").split("\n").findIndex((text) => text.startsWith("export default"));
  return { file, line: line + 1, column: 1 };
}

// A store is not made only to say that something is not in it.
async function isValid(context: CommandContext, outPath: string): Promise<boolean> {
  if (!existsSync(join(context.places.storeRoot ?? "/", outPath))) return false;
  const store = await context.openStore();
  return store.isValidPath(parseStorePath(outPath, store.storeDir));
}
