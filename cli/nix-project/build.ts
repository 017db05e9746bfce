import { join } from "node:path";
import { TsosError } from "../../core/error/tsos-error.ts";
import { setProfile } from "../../core/store/profile.ts";
import { formatStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { fromByteString } from "../../core/util/bytes.ts";
import type { CommandContext } from "../context.ts";
import { findProfile } from "../profiles.ts";
import { ExitCode } from "../exit-code.ts";
import type { NixProject } from "./find-project.ts";
import { nameOutputs } from "../nix/build-installables.ts";
import { evaluateProject, realiseProject, sourceOf, type ProjectOutput } from "./project-session.ts";

/** An output, or a path that is as it is. */
type Wanted = { readonly drvPath: StorePath; readonly output: string | undefined };

/** Realises what a Nix project's attribute is, prints the paths and links `./result` to them. */
export async function buildProject(context: CommandContext, project: NixProject, args: { readonly link: boolean; readonly rebuild: boolean; readonly profile?: string }): Promise<number> {
  const { source, ...rest } = sourceOf(project, "build");
  const evaluated = await evaluateProject(context, project, { kind: "derivations", sources: [source], autoArguments: [], ...rest });
  const store = await context.openStore();
  const found: readonly Wanted[] = evaluated.found.flatMap(({ drvPath, output, installable }): readonly Wanted[] => {
    if (installable === undefined) return [{ drvPath, output }];
    // A path that the expression put into the store is there.
    return installable.outputs.length === 0 ? [{ drvPath, output: undefined }] : nameOutputs(store, drvPath, installable.outputs.map(fromByteString)).map((name) => ({ drvPath, output: name }));
  });
  if (found.length === 0) throw new TsosError({ code: "nix.no-derivation", message: `"${project.file}" holds no derivation`, hint: "name an attribute that is one" });
  const built = found.filter((one): one is ProjectOutput => one.output !== undefined);
  const outputs = await realiseProject(context, built, args.rebuild);
  let next = 0;
  const paths = found.map(({ drvPath, output }) => (output === undefined ? drvPath : outputs[next++]!));
  await store.flush();
  const shown = paths.map((path) => formatStorePath(path, store.storeDir));
  if (args.profile !== undefined) {
    if (paths.length !== 1) throw new TsosError({ code: "cli.profile-of-several", message: `a profile is of one path, and these are ${paths.length}`, hint: "name one attribute" });
    await setProfile(store, findProfile(context, store, args.profile), paths[0]!);
  } else if (args.link) {
    const numbers = new Map<StorePath, number>();
    for (const [index, path] of paths.entries()) {
      const { drvPath, output } = found[index]!;
      if (!numbers.has(drvPath)) numbers.set(drvPath, numbers.size + 1);
      const number = numbers.get(drvPath)!;
      await store.addPermanentRoot(path, join(context.folder, `result${number === 1 ? "" : `-${number}`}${output === "out" || output === undefined ? "" : `-${output}`}`));
    }
  }
  if (context.flags.json) context.print(JSON.stringify({ version: 1, results: found.map(({ drvPath, output }, index) => (output === undefined ? { outPath: shown[index] } : { drvPath: formatStorePath(drvPath, store.storeDir), output, outPath: shown[index] })) }));
  else for (const path of shown) context.print(path);
  return ExitCode.done;
}
