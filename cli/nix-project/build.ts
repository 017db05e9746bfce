import { TsosError } from "../../core/error/tsos-error.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import { fromByteString } from "../../core/util/bytes.ts";
import type { BuiltTarget } from "../built-target.ts";
import type { CommandContext } from "../context.ts";
import { nameOutputs } from "../nix/build-installables.ts";
import type { NixProject } from "./find-project.ts";
import { readProjectOptions, type NixFlags, type ProjectOptions } from "./nix-flags.ts";
import { evaluateProject, realiseProject, sourceOf, type ProjectOutput } from "./project-session.ts";

/** An output, or a path that is as it is. */
type Wanted = { readonly drvPath: StorePath; readonly output: string | undefined };

/** Realises what attributes of Nix projects are, all at once; for each project what it gave. */
export async function buildProjects(context: CommandContext, projects: readonly NixProject[], flags: NixFlags, rebuild: boolean): Promise<readonly (readonly BuiltTarget[])[]> {
  const wanted: (readonly Wanted[])[] = projects.map(() => []);
  // Flakes are evaluated in one go, and so are attributes of one file, whose results stand where the first of them does.
  const groups = new Map<string, number[]>();
  for (const [index, { kind, file }] of projects.entries()) {
    const key = kind === "flake" ? "" : file;
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
  let options: ProjectOptions | undefined;
  for (const indices of groups.values()) {
    const group = indices.map((index) => projects[index]!);
    const own = readProjectOptions(context, group[0]!, flags);
    options ??= own;
    for (const [place, found] of (await evaluateGroup(context, group, own)).entries()) wanted[indices[place]!] = found;
  }
  if (options === undefined) return [];
  const outputs = await realiseProject(context, options, wanted.flat().filter((one): one is ProjectOutput => one.output !== undefined), rebuild);
  let next = 0;
  return wanted.map((found) => found.map(({ drvPath, output }) => (output === undefined ? { path: drvPath } : { drvPath, output, path: outputs[next++]! })));
}

/** Of flakes, or of attributes of one file: what each means. */
async function evaluateGroup(context: CommandContext, projects: readonly NixProject[], options: ProjectOptions): Promise<readonly (readonly Wanted[])[]> {
  const parts = projects.map((project) => sourceOf(project, "build", options));
  const [first] = projects;
  const isFlake = first!.kind === "flake";
  const { found } = await evaluateProject(context, first!, options, {
    kind: "derivations",
    sources: isFlake ? parts.map(({ source }) => source) : [parts[0]!.source],
    attributePaths: isFlake ? [""] : parts.flatMap(({ attributePaths }) => attributePaths),
    autoArguments: [...options.options.autoArguments.values()],
    ...(isFlake ? { outputs: parts.map(({ output }) => output) } : {}),
  });
  if (found.length === 0) throw new TsosError({ code: "nix.no-derivation", message: `"${first!.file}" holds no derivation`, hint: "name an attribute that is one" });
  const store = await context.openStore();
  const wanted: Wanted[][] = projects.map(() => []);
  for (const { drvPath, output, installable } of found) {
    if (installable === undefined) wanted[0]!.push({ drvPath, output });
    // A path that the expression put into the store is there.
    else if (installable.outputs.length === 0) wanted[installable.index]!.push({ drvPath, output: undefined });
    else for (const name of nameOutputs(store, drvPath, installable.outputs.map(fromByteString))) wanted[installable.index]!.push({ drvPath, output: name });
  }
  return wanted;
}
