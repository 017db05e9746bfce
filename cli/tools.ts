import { join } from "node:path";
import type { Tool } from "../core/build/tool.ts";
import { realise } from "../core/build/realise.ts";
import { TsosError } from "../core/error/tsos-error.ts";
import { instantiate } from "../core/store/instantiate.ts";
import type { LocalStore } from "../core/store/store.ts";
import { parseStorePath } from "../core/store-path/store-path.ts";
import { createBuildOptions } from "./build-options.ts";
import type { CommandContext } from "./context.ts";
import { evaluate } from "./evaluation.ts";
import { findProgram } from "./nix/find-on-path.ts";

/** The program that builds are shut in with: the machine's own, else the one that tsos brings. */
export async function findSandboxTool(context: CommandContext, store: LocalStore): Promise<Tool> {
  return findTool(context, store, { program: "bwrap", package: "bubblewrap" });
}

/** The program that machines are booted in. */
export async function findContainerTool(context: CommandContext, store: LocalStore): Promise<Tool> {
  return findTool(context, store, { program: "systemd-nspawn", package: "systemd-nspawn" });
}

/**
 * A program of this machine, or of one of tsos's own packages. Such a package is made by builtin builders alone,
 * so it needs no sandbox to be made.
 */
async function findTool(context: CommandContext, store: LocalStore, tool: { readonly program: string; readonly package: string }): Promise<Tool> {
  const own = findProgram(context.env, tool.program);
  if (own !== undefined) return { command: own, args: [] };
  const { result, instantiation } = await evaluate(context, undefined, { kind: "package", name: tool.package });
  const { outPath, drvPath, outputName } = result.package;
  const path = parseStorePath(outPath, store.storeDir);
  await store.addTemporaryRoot(path);
  if (!(await store.isValidPath(path))) {
    await instantiate(store, instantiation, context.signal);
    const options = await createBuildOptions(context, store, () => Promise.reject(needsNoSandbox(tool.package)));
    await realise(store, [{ drvPath: parseStorePath(drvPath, store.storeDir), outputs: [outputName] }], options);
  }
  const real = store.realPath(outPath);
  const program = join(real, "bin", tool.program);
  if (real === outPath) return { command: program, args: [] };
  // Its interpreter and libraries are named by their logical paths, which are not there on this machine.
  const libraries = join(real, "lib/x86_64-linux-gnu");
  return { command: join(libraries, "ld-linux-x86-64.so.2"), args: ["--library-path", `${libraries}:${join(libraries, "systemd")}`, program] };
}

function needsNoSandbox(name: string): TsosError {
  return new TsosError({ code: "cli.tool-needs-sandbox", message: `the package "${name}", which sandboxes need, needs one to be built` });
}
