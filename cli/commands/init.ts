import { execFile } from "node:child_process";
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { declarationsEntry } from "../../core/config/declarations/declarations-folder.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { findNearestName } from "../../core/util/suggest.ts";
import type { CommandContext } from "../context.ts";
import { findInstallation } from "../installation.ts";

export type InitArguments = { readonly template: string; readonly force: boolean; readonly dir?: string };

/** Copies a template, and links the project to this tsos so that an editor type-checks it at once. */
export async function init(context: CommandContext, args: InitArguments): Promise<number> {
  const installation = findInstallation();
  const templates = join(installation, "templates");
  const names = (await readdir(templates, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
  if (!names.includes(args.template)) {
    const nearest = findNearestName(args.template, names);
    throw new TsosError({
      code: "cli.unknown-template",
      message: `there is no template "${args.template}"`,
      hint: `${nearest === undefined ? "" : `did you mean "${nearest}"? `}the templates are: ${names.join(", ")}`,
    });
  }
  const target = resolve(context.folder, args.dir ?? ".");
  await mkdir(target, { recursive: true });
  const present = (await readdir(target)).filter((name) => name !== ".git");
  if (present.length > 0 && !args.force) {
    throw new TsosError({
      code: "cli.folder-not-empty",
      message: `"${target}" is not empty: it holds ${present.slice(0, 4).join(", ")}${present.length > 4 ? ", …" : ""}`,
      hint: "name another folder with --dir, or write beside what is there with --force (no file is overwritten)",
    });
  }
  await cp(join(templates, args.template), target, { recursive: true, force: false, errorOnExist: false });
  await writeProjectFiles(target, installation);
  context.say(`made a project from the template "${args.template}" in ${target}`);
  const files = (await readdir(target)).filter((name) => name.endsWith(".config.ts"));
  const steps = files.includes("system.config.ts") ? ["tsos check", "tsos build", "tsos machine"] : ["tsos shell"];
  if (target !== context.folder) steps.unshift(`cd ${args.dir ?? target}`);
  context.say(`next: ${steps.join(", ")}`);
  if (context.flags.json) context.print(JSON.stringify({ version: 1, folder: target, template: args.template }));
  return 0;
}

/** `tsconfig.json` that resolves `tsos` to this installation, and a `.gitignore`; neither replaces a user's own. */
async function writeProjectFiles(target: string, installation: string): Promise<void> {
  // An editor that opens the project finds the types there.
  await promisify(execFile)(process.execPath, [join(installation, "dist", "declare.js")]);
  const tsconfig = {
    compilerOptions: {
      target: "es2023",
      lib: ["es2023"],
      module: "esnext",
      moduleResolution: "bundler",
      types: [],
      strict: true,
      noUncheckedIndexedAccess: true,
      allowImportingTsExtensions: true,
      resolveJsonModule: true,
      skipLibCheck: true,
      noEmit: true,
      paths: { tsos: [declarationsEntry(installation)] },
    },
    // Files in folders with a dot are found by name only.
    include: ["**/*.ts", ".tsos/*.d.ts"],
  };
  await writeNew(join(target, "tsconfig.json"), `${JSON.stringify(tsconfig, undefined, 2)}\n`);
  await writeNew(join(target, ".gitignore"), "node_modules/\n/.tsos/\n/result\n/result-*\n");
}

async function writeNew(file: string, contents: string): Promise<void> {
  await writeFile(file, contents, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
