import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { convertProject, type ConvertedProject, type ConvertOptions, type ProjectSource } from "../../core/convert/convert-project.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { formatNixError, NixError } from "../../core/nix/nix-error.ts";
import { ClassicUsageError } from "./classic-arguments.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { writtenInputs } from "./written-inputs.ts";

const USAGE = `Usage: tsos nix convert FILE.nix [--output DIR] [--force] [--nixpkgs REF]
A configuration of NixOS or of a home, with the modules that it imports, or a shell.nix as TypeScript:
system.config.ts, home.config.ts or shell.config.ts beside the file, and a file for each module.

  -o, --output DIR       write into DIR; files that the configuration names are copied there
  -f, --force            overwrite files that are there
  --nixpkgs REF          the branch or tag of nixpkgs that it gets (that of the file it replaces, else nixos-26.05)
  --module               as a module that a configuration imports: NAME.ts beside NAME.nix
  --dry-run              only say what would be written
`;

const NIXPKGS = "nixos-26.05";
/** Of several files that have inputs. */
const INPUTS = "inputs.ts";

const disk: ProjectSource = {
  kind(path) {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? undefined : stats.isDirectory() ? "folder" : "file";
  },
  read: (path) => readFileSync(path, "latin1"),
};

/** `tsos nix convert`: a configuration in the Nix language as TypeScript. */
export async function convert(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  const options = parseArguments(args);
  if (options === "help") {
    environment.print(USAGE);
    return 0;
  }
  const file = resolve(options.file);
  const { isModule, nixpkgs = NIXPKGS } = options;
  const first = convertOrExplain(environment, { source: disk, file, nixpkgs, isModule });
  if (first === undefined) return 1;
  const root = options.output === undefined ? first.root : resolve(options.output);
  const inputs = await inputsThere(first, root);
  if (options.nixpkgs !== undefined) inputs.delete("nixpkgs");
  const whole = inputs.size === 0 ? first : convertProject({ source: disk, file, nixpkgs, isModule, inputs });
  // What other modules import as well has the inputs already.
  const project = isModule ? { ...whole, files: whole.files.filter(({ path }) => path !== INPUTS || !existsSync(join(root, path))) } : whole;
  const isElsewhere = root !== project.root;
  const copied = isElsewhere ? project.kept.filter((path) => !project.kept.some((other) => path !== other && path.startsWith(`${other}/`))) : [];
  const taken = [...project.files.map(({ path }) => path), ...copied].filter((path) => existsSync(join(root, path)));
  if (taken.length > 0 && !options.force) {
    throw new TsosError({ code: "convert.exists", message: `"${join(root, taken[0]!)}" is there already${taken.length === 1 ? "" : `, and ${taken.length - 1} more`}`, hint: "tsos nix convert --force overwrites, --output DIR writes elsewhere", data: { files: taken } });
  }
  const shown = (path: string): string => {
    const near = relative(process.cwd(), path);
    return near.startsWith("..") ? path : near;
  };
  if (!options.dryRun) {
    for (const { path, text } of project.files) {
      const to = join(root, path);
      // A link would be written through, to where nobody looks.
      if (lstatSync(to, { throwIfNoEntry: false })?.isSymbolicLink() === true) throw new TsosError({ code: "convert.link", message: `"${to}" is a symbolic link`, hint: "remove it, or write elsewhere with --output DIR" });
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, text);
    }
    for (const path of copied) cpSync(join(project.root, path), join(root, path), { recursive: true });
  }
  for (const { path, from } of project.files) environment.print(`${shown(join(root, path))}  from ${shown(from)}\n`);
  for (const path of copied) environment.print(`${shown(join(root, path))}  copied\n`);
  report(environment, project, shown);
  if (isModule) environment.say(`in the configuration: import it, and name it in the place of nixFile("${basename(file)}")`);
  return 0;
}

/** The inputs of the files that would be replaced. */
async function inputsThere(project: ConvertedProject, root: string): Promise<Map<string, string>> {
  const inputs = new Map<string, string>();
  for (const { path } of project.files) {
    const file = join(root, path);
    if (!(path === INPUTS || path.endsWith(".config.ts")) || disk.kind(file) !== "file") continue;
    for (const [name, text] of await writtenInputs(readFileSync(file, "utf8"))) inputs.set(name, text);
  }
  return inputs;
}

function report(environment: NixEnvironment, { marks, assumed, files }: ConvertedProject, shown: (path: string) => string): void {
  const expressions = files.reduce((sum, one) => sum + one.expressions, 0);
  const marked = files.reduce((sum, one) => sum + one.marked, 0);
  if (marks.length > 0) {
    environment.say(`${marks.length === 1 ? "one place stays" : `${marks.length} places stay`} in the Nix language (${((100 * marked) / expressions).toFixed(1)} % of the expressions), each with a comment:`);
    for (const { file, line, column, reason } of marks) environment.say(`  ${shown(file)}:${line}:${column}  ${reason}`);
  }
  if (assumed.length > 0) {
    environment.say("believed, since only an evaluation could tell:");
    for (const { file, names } of assumed) environment.say(`  ${shown(file)}: ${names.map((name) => (/[^\w'.-]/.test(name) ? name : `"${name}" is of the innermost "with"`)).join("; ")}`);
  }
  environment.say('"tsos check" says whether it is right; "tsos eval --drv" what it evaluates to');
}

/** @returns undefined where the file does not parse, which is said with the user's line */
function convertOrExplain(environment: NixEnvironment, options: ConvertOptions): ConvertedProject | undefined {
  try {
    return convertProject(options);
  } catch (error) {
    if (!(error instanceof NixError)) throw error;
    environment.say(formatNixError(error, { showTrace: false }));
    return undefined;
  }
}

type ConvertArguments = { readonly file: string; readonly output: string | undefined; readonly force: boolean; readonly dryRun: boolean; readonly isModule: boolean; readonly nixpkgs: string | undefined };

function parseArguments(args: readonly string[]): ConvertArguments | "help" {
  const files: string[] = [];
  let output: string | undefined;
  let nixpkgs: string | undefined;
  let isModule = false;
  let force = false;
  let dryRun = false;
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    const [name, given] = argument.startsWith("--") && argument.includes("=") ? [argument.slice(0, argument.indexOf("=")), argument.slice(argument.indexOf("=") + 1)] : [argument, undefined];
    const value = (): string => {
      const found = given ?? args[++i];
      if (found === undefined || found === "") throw new ClassicUsageError(`flag '${name}' requires 1 argument`);
      return found;
    };
    if (name === "--help") return "help";
    if (name === "--output" || name === "-o") output = value();
    else if (name === "--nixpkgs") nixpkgs = value();
    else if (name === "--force" || name === "-f") force = true;
    else if (name === "--dry-run") dryRun = true;
    else if (name === "--module") isModule = true;
    else if (name.startsWith("-")) throw new ClassicUsageError(`unrecognised flag '${name}'`);
    else files.push(argument);
  }
  if (files.length !== 1) throw new ClassicUsageError(files.length === 0 ? "convert needs the file that is to be converted" : `convert takes one file, got ${files.length}`);
  return { file: files[0]!, output, force, dryRun, isModule, nixpkgs };
}
