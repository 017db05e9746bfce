import { inStoreView } from "../../core/shell/store-view.ts";
import { parseStorePath } from "../../core/store-path/store-path.ts";
import { runOnTerminal } from "../../core/util/run-on-terminal.ts";
import { fromByteString } from "../../core/util/bytes.ts";
import type { CommandContext } from "../context.ts";
import { findSandboxTool } from "../tools.ts";
import type { NixProject } from "./find-project.ts";
import { readProjectOptions, type NixFlags } from "./nix-flags.ts";
import { evaluateProject, realiseProject, sourceOf, toOutput } from "./project-session.ts";

/** Realises an app or a package of a Nix project and becomes its program: same streams, same exit code. */
export async function runProject(context: CommandContext, project: NixProject, args: readonly string[], flags: NixFlags): Promise<number> {
  const options = readProjectOptions(context, project, flags);
  const { source, attributePaths } = sourceOf(project, "run", options);
  const { end } = await evaluateProject(context, project, options, { kind: "program", sources: [source], attributePaths, autoArguments: [...options.options.autoArguments.values()] });
  const { program, needs, sources } = end.program!;
  const store = await context.openStore();
  await store.addTemporaryRoot(...sources.map((path) => parseStorePath(`${store.storeDir}/${path}`, store.storeDir)));
  await realiseProject(context, options, needs.map((one) => toOutput(one, store.storeDir)));
  const { storeRoot } = context.places;
  const words = [fromByteString(program), ...args];
  const [command, ...rest] = storeRoot === undefined ? words : inStoreView({ storeRoot, bubblewrap: await findSandboxTool(context, store), folder: context.folder }, words);
  using _terminal = context.handTerminalOver();
  return await runOnTerminal(command!, rest);
}
