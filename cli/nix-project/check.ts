import { toByteString, fromByteString } from "../../core/util/bytes.ts";
import type { CommandContext } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { NixProject } from "./find-project.ts";
import { evaluateProject, sourceOf } from "./project-session.ts";

/** Evaluates what a Nix project has: all outputs of a flake, or the derivations of a file. Builds nothing. */
export async function checkProject(context: CommandContext, project: NixProject): Promise<number> {
  const began = performance.now();
  const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(1)} s`;
  if (project.kind === "file") {
    const { source, attributePaths } = sourceOf(project, "build");
    const { found } = await evaluateProject(context, project, { kind: "derivations", sources: [source], attributePaths, autoArguments: [] });
    if (context.flags.json) context.print(JSON.stringify({ version: 1, derivations: found.map(({ drvPath }) => drvPath) }));
    else context.print(`${project.file} is sound: ${found.length === 1 ? "one derivation" : `${found.length} derivations`} (${seconds()})`);
    return ExitCode.done;
  }
  const { end } = await evaluateProject(context, project, { kind: "check-flake", ref: toByteString(project.folder), writeLock: !context.flags.locked });
  const { outputs, problems, notes } = end.report!;
  if (context.flags.json) context.print(JSON.stringify({ version: 1, outputs, problems: problems.map(({ path, error }) => ({ path, error })), notes }));
  else {
    for (const { path, error } of problems) context.say(`${context.errStyle.red("error:")} ${fromByteString(path)}\n${error.replace(/^/gm, "  ")}`);
    const left = notes.length === 0 ? "" : `; ${notes.length} of other systems were not looked at`;
    context.print(problems.length === 0 ? `${project.file} is sound: ${outputs.length} outputs (${seconds()})${left}` : `${problems.length} of ${outputs.length + problems.length} outputs are wrong${left}`);
  }
  return problems.length === 0 ? ExitCode.done : ExitCode.failed;
}
