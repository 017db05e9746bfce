import { TsosError } from "../../core/error/tsos-error.ts";
import { formatStorePath, parseStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { toByteString, fromByteString } from "../../core/util/bytes.ts";
import type { CommandContext } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { NixProject } from "./find-project.ts";
import { readProjectOptions, type NixFlags, type ProjectOptions } from "./nix-flags.ts";
import { evaluateProject, realiseWhole, sourceOf } from "./project-session.ts";

export type ProjectCheck = NixFlags & { /** Of a flake: its checks are built. */ readonly build: boolean; /** Of a flake: what is for other systems is evaluated too. */ readonly allSystems: boolean };

/** Evaluates what a Nix project has: all outputs of a flake, whose checks are built, or the derivations of a file. */
export async function checkProject(context: CommandContext, project: NixProject, args: ProjectCheck): Promise<number> {
  const { build } = args;
  const options = readProjectOptions(context, project, args);
  const began = performance.now();
  const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(1)} s`;
  if (project.kind === "file") {
    const { source, attributePaths } = sourceOf(project, "build", options);
    const { found } = await evaluateProject(context, project, options, { kind: "derivations", sources: [source], attributePaths, autoArguments: [...options.options.autoArguments.values()] });
    if (context.flags.json) context.print(JSON.stringify({ version: 1, derivations: found.map(({ drvPath }) => drvPath) }));
    else context.print(`${project.file} is sound: ${found.length === 1 ? "one derivation" : `${found.length} derivations`} (${seconds()})`);
    return ExitCode.done;
  }
  if (project.attribute !== "") throw new TsosError({ code: "nix.fragment", message: `unexpected fragment '${project.attribute}' in a reference to a flake that is checked`, hint: "all of its outputs are; leave out what stands after #" });
  const { flakes } = options;
  const { end } = await evaluateProject(context, project, options, { kind: "check-flake", ref: toByteString(project.folder), writeLock: flakes.writeLock(), flags: flakes.flags(options.options.settings), allSystems: args.allSystems });
  const { outputs, checks, problems, warnings, omittedSystems } = end.report!;
  for (const text of warnings) context.say(`${context.errStyle.yellow("warning:")} ${fromByteString(text)}`);
  for (const { path, error } of problems) context.say(`${context.errStyle.red("error:")} ${fromByteString(path)}\n${error.replace(/^/gm, "  ")}`);
  const { storeDir } = await context.openStore();
  const found = checks.map(({ path, drvPath }) => ({ path: fromByteString(path), drvPath: parseStorePath(fromByteString(drvPath), storeDir) }));
  // What is wrong is told before anything is built.
  const isBuilt = build && problems.length === 0;
  if (isBuilt && found.length > 0) await buildChecks(context, options, found);
  if (context.flags.json) context.print(JSON.stringify({ version: 1, outputs, checks: found.map(({ path, drvPath }) => ({ path, drvPath: formatStorePath(drvPath, storeDir), isBuilt })), problems: problems.map(({ path, error }) => ({ path, error })), warnings, omittedSystems }));
  else {
    const left = omittedSystems.length === 0 ? "" : `; what is for ${omittedSystems.join(", ")} was not looked at (--all-systems does)`;
    const count = (number: number): string => (number === 1 ? "one output" : `${number} outputs`);
    const built = isBuilt && found.length > 0 ? `, ${found.length === 1 ? "one check" : `${found.length} checks`} built` : "";
    context.print(problems.length === 0 ? `${project.file} is sound: ${count(outputs.length)}${built} (${seconds()})${left}` : `${problems.length} of ${count(outputs.length + problems.length)} ${problems.length === 1 ? "is" : "are"} wrong${left}`);
  }
  return problems.length === 0 ? ExitCode.done : ExitCode.failed;
}

/** Builds all outputs of each, and says of what fails which check it is. */
async function buildChecks(context: CommandContext, options: ProjectOptions, checks: readonly { readonly path: string; readonly drvPath: StorePath }[]): Promise<void> {
  const { storeDir } = await context.openStore();
  try {
    await realiseWhole(context, options, checks.map(({ drvPath }) => drvPath));
  } catch (error) {
    const failed = error instanceof TsosError ? checks.find(({ drvPath }) => error.message.includes(formatStorePath(drvPath, storeDir))) : undefined;
    if (failed === undefined || !(error instanceof TsosError)) throw error;
    throw new TsosError({ code: error.code, message: `failed to build attribute '${failed.path}': ${error.message}`, hint: error.hint, data: { ...error.data, attribute: failed.path } });
  }
}
