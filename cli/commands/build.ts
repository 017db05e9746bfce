import { resolve } from "node:path";
import { TsosError } from "../../core/error/tsos-error.ts";
import { setProfile } from "../../core/store/profile.ts";
import { formatStorePath, parseStorePath } from "../../core/store-path/store-path.ts";
import type { DerivationResult } from "../../core/config/protocol.ts";
import { linkTargets, type BuiltTarget } from "../built-target.ts";
import type { CommandContext } from "../context.ts";
import { evaluateTarget } from "../evaluation.ts";
import { findProjectOfTarget, type NixProject } from "../nix-project/find-project.ts";
import { refuseNixFlags, type NixFlags } from "../nix-project/nix-flags.ts";
import { findProfile } from "../profiles.ts";
import { ExitCode } from "../exit-code.ts";
import { realiseResults } from "../realise.ts";

export type BuildArguments = NixFlags & { readonly targets: readonly string[]; readonly link: boolean; readonly outLink: string; readonly check: boolean; readonly rebuild: boolean; readonly profile?: string };

/** Realises targets, prints their store paths and links `./result` to them. */
export async function build(context: CommandContext, args: BuildArguments): Promise<number> {
  const targets = args.targets.length === 0 ? [undefined] : args.targets;
  const projects = targets.map((target) => findProjectOfTarget(context, target));
  const ofNix = projects.filter((project): project is NixProject => project !== undefined);
  if (ofNix.length === 0) refuseNixFlags(args, targets[0]);
  const ofProjects = ofNix.length === 0 ? [] : await (await import("../nix-project/build.ts")).buildProjects(context, ofNix, args, args.rebuild);
  const results: DerivationResult[] = [];
  let next = 0;
  const built: BuiltTarget[] = [];
  for (const [index, target] of targets.entries()) {
    if (projects[index] !== undefined) {
      built.push(...ofProjects[next++]!);
      continue;
    }
    const result = await buildResult(context, target, args);
    results.push(result);
    const { storeDir } = await context.openStore();
    built.push({ drvPath: parseStorePath(result.drvPath, storeDir), output: result.outputName, path: parseStorePath(result.outPath, storeDir) });
  }

  const store = await context.openStore();
  await store.flush();
  if (args.profile !== undefined) {
    if (built.length !== 1) throw new TsosError({ code: "cli.profile-of-several", message: `a profile is of one path, and these are ${built.length}`, hint: "name one attribute" });
    await setProfile(store, findProfile(context, store, args.profile), built[0]!.path);
  } else if (args.link && args.outLink !== "") {
    await linkTargets(store, built, resolve(context.folder, args.outLink), ofNix.length === targets.length && ofNix.every(({ kind }) => kind === "file") ? 2 : 1);
  }
  const show = (path: BuiltTarget["path"]): string => formatStorePath(path, store.storeDir);
  if (!context.flags.json) for (const { path } of built) context.print(show(path));
  else if (targets.length === 1 && results.length === 1) context.print(JSON.stringify({ version: 1, drvPath: results[0]!.drvPath, outPath: results[0]!.outPath, outputs: results[0]!.outputs }));
  else context.print(JSON.stringify({ version: 1, results: built.map(({ drvPath, output, path }) => ({ ...(drvPath === undefined ? {} : { drvPath: show(drvPath), output }), outPath: show(path) })) }));
  return ExitCode.done;
}

async function buildResult(context: CommandContext, target: string | undefined, args: BuildArguments): Promise<DerivationResult> {
  const { evaluation, derivation } = await evaluateTarget(context, target, args.check);
  await realiseResults(context, await context.openStore(), { instantiation: evaluation.instantiation, targets: [derivation], check: args.rebuild });
  return derivation;
}
