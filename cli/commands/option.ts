import { basename, relative } from "node:path";
import { findNixosDefinitionPlaces } from "../../core/config/definition-place.ts";
import type { DefinitionDescription, ModuleDescription, OptionReport, SiteDescription } from "../../core/config/option-description.ts";
import { formatSourcePosition, type SourcePosition } from "../../core/error/source-position.ts";
import { formatOptionPath } from "../../core/option/option-path.ts";
import { separateErrors } from "../../core/config/config-errors.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { describeError, reportError, type CommandContext } from "../context.ts";
import { evaluate } from "../evaluation.ts";
import { ExitCode } from "../exit-code.ts";
import { CONFIG_KINDS, findConfig } from "../find-config.ts";
import { findInstallation } from "../installation.ts";
import { locateSite } from "../locate-site.ts";
import { documentOptions, documentPinnedOptions, type OptionDocument } from "../option-documents.ts";
import { firstSentence, formatDescribedValue, formatOrder, formatPriority, formatValue, hang } from "../output/option-text.ts";
import { rankMatches } from "../rank-matches.ts";

const SHOWN = 40;

/** Options of the nearest configuration's tree (without one: of tsos's own modules) that have all words. */
export async function searchOptions(context: CommandContext, args: { readonly words: readonly string[] }): Promise<number> {
  const options = await documented(context);
  const found = rankMatches(args.words, options, ({ name, description = "" }) => ({ name, description }));
  if (context.flags.json) {
    context.print(JSON.stringify({ version: 1, words: args.words, options: found.map(({ name, path, type, description, declaredIn, ...option }) => ({ name, path, type, default: option.default, description, declaredIn })) }));
    return ExitCode.done;
  }
  const { bold, dim } = context.outStyle;
  for (const { name, type, description, ...option } of found.slice(0, SHOWN)) {
    context.print(`${bold(name)}  ${dim(type)}${option.default === undefined ? "" : dim(`  = ${oneLine(formatDescribedValue(option.default))}`)}${description === undefined ? "" : `\n  ${firstSentence(description)}`}`);
  }
  if (found.length === 0) context.say(`no option has ${args.words.map((word) => JSON.stringify(word)).join(" and ")} in its name or description`);
  if (found.length > SHOWN) context.say(`and ${found.length - SHOWN} more; another word narrows them down`);
  return ExitCode.done;
}

/** As much of a value as stands on a line beside a name. */
function oneLine(text: string): string {
  const line = text.trim().replace(/\s*\n\s*/g, " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

/** The documentation of all options, the same bytes for the same modules. */
export async function documentAllOptions(context: CommandContext, args: { readonly format: "markdown" | "json" }): Promise<number> {
  const options = await documented(context);
  if (args.format === "json" || context.flags.json) {
    context.print(JSON.stringify({ version: 1, options }, undefined, 2));
    return ExitCode.done;
  }
  const { formatOptionMarkdown } = await import("../output/option-markdown.ts");
  context.print(formatOptionMarkdown(options).trimEnd());
  return ExitCode.done;
}

async function documented(context: CommandContext): Promise<readonly OptionDocument[]> {
  const file = findConfig(context, CONFIG_KINDS);
  const { result, inputs } = await evaluate(context, file, { kind: "option-docs" });
  if (file === undefined) return documentOptions(result.options, result.modules, [findInstallation()]);
  const project = (await import("../../core/config/find-project.ts")).findProject(file);
  if (result.pinned === undefined) return documentOptions(result.options, result.modules, [findInstallation(), project]);
  const { listOptionsOfInput } = await import("../pinned-types.ts");
  return documentPinnedOptions(await listOptionsOfInput(context, project, file, inputs, result.pinned));
}

/** One option: what is declared, what defines it, and its value; a branch lists its options. */
export async function showOption(context: CommandContext, args: { readonly path: string }): Promise<number> {
  const file = findConfig(context, CONFIG_KINDS);
  const { result } = await evaluate(context, file, { kind: "option-report", path: args.path });
  const { report, modules, isSound } = result;
  // Its errors are told as every command tells them.
  const wrong = isSound || file === undefined ? undefined : await evaluate(context, file, { kind: basename(file).startsWith("shell") ? "shell" : "system" }).then(() => undefined, (error: unknown) => error);
  const errors = wrong instanceof TsosError ? separateErrors(wrong).map(describeError) : undefined;
  if (report.kind === "branch") showBranch(context, report, errors);
  else await showOne(context, report, modules, isSound, errors, file);
  if (wrong !== undefined) return reportError(wrong, { json: false, color: context.flags.color, verbose: context.flags.verbosity > 0 });
  const failure = report.kind === "option" ? report.state?.error : undefined;
  return failure === undefined || failure.code === "option.not-defined" ? ExitCode.done : ExitCode.failed;
}

type Errors = readonly Readonly<Record<string, unknown>>[] | undefined;

function showBranch(context: CommandContext, report: Extract<OptionReport, { readonly kind: "branch" }>, errors: Errors): void {
  const name = formatOptionPath(report.path);
  if (context.flags.json) {
    const options = report.options.map(({ path, type, description }) => ({ name: formatOptionPath(path), path, type, description }));
    context.print(JSON.stringify({ version: 1, kind: "branch", name, path: report.path, options, errors }));
    return;
  }
  const { bold, dim } = context.outStyle;
  context.print(`${bold(name)}  ${dim(report.options.length === 1 ? "1 option" : `${report.options.length} options`)}`);
  for (const { path, type, description } of report.options) {
    context.print(`\n${bold(formatOptionPath(path))}  ${dim(type)}${description === undefined ? "" : `\n  ${firstSentence(description)}`}`);
  }
}

/** What the module system of Nix calls modules that the configuration gives it. */
const TYPESCRIPT_MODULES = "the configuration";

type Placed = { readonly module: string; readonly at: SourcePosition | undefined };

async function showOne(context: CommandContext, report: Extract<OptionReport, { readonly kind: "option" }>, modules: readonly ModuleDescription[], isSound: boolean, errors: Errors, file: string | undefined): Promise<void> {
  const { option, state } = report;
  const place = async (site: SiteDescription, part: "config" | "options"): Promise<Placed> => ({ module: modules[site.module]!.label, at: await locateSite(modules, site, part) });
  const declarations: Placed[] = [];
  for (const site of option.declarations) declarations.push(await place(site, "options"));
  const definitions: (DefinitionDescription & Placed)[] = [];
  for (const definition of state?.definitions ?? []) definitions.push({ ...definition, ...(await place(definition.site, "config")) });
  // Modules of TypeScript in a Nix module system have no place of their own there.
  const unplaced = definitions.filter(({ module, at }) => at === undefined && module === TYPESCRIPT_MODULES);
  const found = file === undefined || unplaced.length === 0 ? [] : await findNixosDefinitionPlaces(file, option.path.map((part) => part.replace(/^\[(\d+)\]$/, "$1")));
  if (found.length === unplaced.length) for (const [i, one] of unplaced.entries()) definitions[definitions.indexOf(one)] = { ...one, at: found[i]!.name };
  const name = formatOptionPath(option.path);

  if (context.flags.json) {
    const { path, type, typescript, description, example, readOnly, internal, relatedPackages } = option;
    context.print(
      JSON.stringify({
        version: 1, kind: "option", name, path, type, typescript, description, default: option.default, example, readOnly, internal, relatedPackages,
        declarations,
        definitions: definitions.map(({ module, at, value, priority, order, counts }) => ({ module, at, value, priority, order, counts })),
        value: state?.value, error: state?.error?.message, errors,
      }),
    );
    return;
  }

  const { bold, dim, red } = context.outStyle;
  const row = (title: string, text: string): void => context.print(`${dim(title.padEnd(11))}${hang(text, 11)}`);
  context.print(bold(name));
  if (option.description !== undefined) context.print(`  ${hang(option.description.trim(), 2)}`);
  context.print("");
  row("type", option.type);
  if (option.default !== undefined) row("default", formatDescribedValue(option.default));
  if (option.example !== undefined) row("example", formatDescribedValue(option.example));
  if (option.readOnly) row("read-only", "yes");
  if (option.relatedPackages.length > 0) row("packages", option.relatedPackages.join(", "));
  row("declared", declarations.map((placed) => formatPlaced(placed, context.folder)).join("\n"));
  if (state === undefined) return;
  if (state.error !== undefined) row("value", red(isSound || state.error.code === "option.not-defined" ? state.error.message : "none: there is an error, see below"));
  else row("value", formatValue(state.value));
  if (definitions.length === 0) return;
  context.print(`\n${dim("definitions")}`);
  for (const definition of definitions) {
    const replaced = definition.counts ? "" : dim("  replaced by a stronger one");
    context.print(`  ${formatPlaced(definition, context.folder)}  ${dim(`${formatPriority(definition.priority)} (${definition.priority})${formatOrder(definition.order)}`)}${replaced}`);
    context.print(`    ${definition.preview}`);
  }
}

function formatPlaced({ module, at }: Placed, folder: string): string {
  if (at === undefined) return module;
  const inside = relative(folder, at.file);
  return formatSourcePosition({ ...at, file: inside.startsWith("..") ? at.file : inside });
}

