import { join } from "node:path";
import { TsosError } from "../../core/error/tsos-error.ts";
import { setProfile } from "../../core/store/profile.ts";
import { formatStorePath } from "../../core/store-path/store-path.ts";
import type { CommandContext } from "../context.ts";
import { findProfile } from "../profiles.ts";
import { ExitCode } from "../exit-code.ts";
import type { NixProject } from "./find-project.ts";
import { evaluateProject, realiseProject, sourceOf } from "./project-session.ts";

/** Realises what a Nix project's attribute is, prints the paths and links `./result` to them. */
export async function buildProject(context: CommandContext, project: NixProject, args: { readonly link: boolean; readonly rebuild: boolean; readonly profile?: string }): Promise<number> {
  const { source, attributePaths } = sourceOf(project, "build");
  const { found } = await evaluateProject(context, project, { kind: "derivations", sources: [source], attributePaths, autoArguments: [] });
  if (found.length === 0) throw new TsosError({ code: "nix.no-derivation", message: `"${project.file}" holds no derivation`, hint: "name an attribute that is one" });
  const paths = await realiseProject(context, found, args.rebuild);
  const store = await context.openStore();
  await store.flush();
  const shown = paths.map((path) => formatStorePath(path, store.storeDir));
  if (args.profile !== undefined) {
    if (paths.length !== 1) throw new TsosError({ code: "cli.profile-of-several", message: `a profile is of one path, and these are ${paths.length}`, hint: "name one attribute" });
    await setProfile(store, findProfile(context, store, args.profile), paths[0]!);
  } else if (args.link) {
    for (const [index, path] of paths.entries()) {
      const { output } = found[index]!;
      await store.addPermanentRoot(path, join(context.folder, `result${index === 0 ? "" : `-${index + 1}`}${output === "out" ? "" : `-${output}`}`));
    }
  }
  if (context.flags.json) context.print(JSON.stringify({ version: 1, results: found.map(({ drvPath, output }, index) => ({ drvPath: formatStorePath(drvPath, store.storeDir), output, outPath: shown[index] })) }));
  else for (const path of shown) context.print(path);
  return ExitCode.done;
}
