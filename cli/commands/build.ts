import { lstat, readlink, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { TsosError } from "../../core/error/tsos-error.ts";
import { setProfile } from "../../core/store/profile.ts";
import { parseStorePath } from "../../core/store-path/store-path.ts";
import type { CommandContext } from "../context.ts";
import { evaluateTarget } from "../evaluation.ts";
import { findProjectOfTarget } from "../nix-project/find-project.ts";
import { findProfile } from "../profiles.ts";
import { ExitCode } from "../exit-code.ts";
import { realiseResults } from "../realise.ts";

export type BuildArguments = { readonly target?: string; readonly link: boolean; readonly check: boolean; readonly rebuild: boolean; readonly profile?: string };

/** Realises a target, prints its store path and links `./result` to it. */
export async function build(context: CommandContext, args: BuildArguments): Promise<number> {
  const project = findProjectOfTarget(context, args.target);
  if (project !== undefined) return (await import("../nix-project/build.ts")).buildProject(context, project, args);
  const { evaluation, derivation } = await evaluateTarget(context, args.target, args.check);
  const store = await context.openStore();
  await realiseResults(context, store, { instantiation: evaluation.instantiation, targets: [derivation], check: args.rebuild });
  if (args.profile !== undefined) await setProfile(store, findProfile(context, store, args.profile), parseStorePath(derivation.outPath, store.storeDir));
  else if (args.link) {
    const link = join(context.folder, "result");
    await replaceLink(link, derivation.outPath, store.storeDir);
    await store.addIndirectRoot(link);
  }
  if (context.flags.json) context.print(JSON.stringify({ version: 1, drvPath: derivation.drvPath, outPath: derivation.outPath, outputs: derivation.outputs }));
  else context.print(derivation.outPath);
  return ExitCode.done;
}

/** Exchanges the link in one step; what is not a link into a store is somebody's file. */
async function replaceLink(link: string, target: string, storeDir: string): Promise<void> {
  const present = await lstat(link).catch(() => undefined);
  if (present !== undefined && !(present.isSymbolicLink() && (await readlink(link)).includes(`${storeDir}/`))) {
    throw new TsosError({ code: "cli.result-exists", message: `"${link}" is there and is not a link into the store`, hint: "move it away, or build with --no-link" });
  }
  const temporary = `${link}.tmp-${process.pid}`;
  await symlink(target, temporary);
  await rename(temporary, link);
}
