import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism, homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TsosError } from "../../core/error/tsos-error.ts";
import { configurationFiles } from "../../core/interop/nix-configuration.ts";
import { parseBashVariables, readBashValue } from "../../core/shell/bash-state.ts";
import { formatEnvironmentScript } from "../../core/shell/shell-environment.ts";
import { shellRootLink } from "../../core/shell/shell-root.ts";
import { inStoreView } from "../../core/shell/store-view.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { formatStorePath, parseStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { encodeUtf8, toByteString } from "../../core/util/bytes.ts";
import type { CommandContext } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { derivationEnvironment } from "../nix/derivation-environment.ts";
import { findOnPath } from "../nix/find-on-path.ts";
import { findSandboxTool } from "../tools.ts";
import { captureShell } from "./capture-shell.ts";
import { enterSnapshot } from "./enter-known-shell.ts";
import type { NixProject } from "./find-project.ts";
import { readDerivation, readEnvironmentOutput, writeEnvironmentDerivation } from "./flake-environment.ts";
import { environmentKey, keepKnownShell, knownShellFile, programStamp, type KnownShell } from "./known-shell.ts";
import { readProjectOptions, type NixFlags, type ProjectOptions } from "./nix-flags.ts";
import { evaluateProject, realiseProject, sourceOf, type ProjectEvaluation, type ProjectOutput } from "./project-session.ts";
import { findReads } from "./shell-reads.ts";
import { FOLDER_MARK, inheritedEnvironment, type ShellSnapshot } from "./shell-snapshot.ts";

export type ProjectShellArguments = NixFlags & { readonly action?: "env" | undefined; readonly pure: boolean; readonly command?: readonly string[] | undefined };

/** How long what a URL without a hash names is believed to be the same, in seconds; as Nix's setting `tarball-ttl`. */
const TARBALL_TTL = 3600;

/** Enters the shell of a `shell.nix`, a `default.nix` or a flake: the environment that `nix-shell` and `nix develop` give. */
export async function enterProjectShell(context: CommandContext, project: NixProject, args: ProjectShellArguments): Promise<number> {
  if (args.command?.length === 0) throw new TsosError({ code: "shell.no-command", message: "there is no command after --", hint: "leave out -- for an interactive shell" });
  const start = Date.now();
  const isFlake = project.kind === "flake";
  const env = { ...context.env, IN_NIX_SHELL: args.pure ? "pure" : "impure" };
  const options = readProjectOptions(context, project, args);
  const { source, attributePaths } = sourceOf(project, "shell", options);
  const store = await context.openStore();
  const evaluation = await evaluateProject(
    context,
    project,
    options,
    { kind: "derivations", sources: [source], attributePaths, autoArguments: [...options.options.autoArguments.values()], inNixShell: true, wantsReads: true, ...(isFlake ? { shell: "of-flake" as const } : hasNixpkgs(context, store) ? { shell: { expression: "(import <nixpkgs> {}).bashInteractive", known: 0 } } : {}) },
    isFlake ? context.env : env,
  );
  const targets = evaluation.found.filter(({ isShell }) => isShell !== true);
  const [target] = targets;
  if (target === undefined || targets.length > 1) {
    throw new TsosError({ code: "nix.not-one-shell", message: `"${project.file}" is ${targets.length} derivations, a shell is one`, hint: isFlake ? "name one of them: tsos shell .#NAME" : "name one of them: tsos shell -c FILE.nix NAME, or write a shell.nix with mkShell" });
  }
  const view = await findView(context, store);
  const bash = await findBash(context, store, options, evaluation, isFlake);
  const made = isFlake ? await makeFlakeSnapshot(context, store, options, target, bash) : await makeDerivationSnapshot(context, store, options, target, { bash, pure: args.pure, env, view });
  if ("code" in made) return made.code;
  const { snapshot } = made;
  // A shell by flags is another than the one without.
  if (made.isWhole && options.isPlain) await keepShell(context, store, project, { ...made, evaluation, view, start, pure: args.pure });
  await store.flush();
  if (args.action === "env") return await printEnvironment(context, snapshot, args.pure, view);
  using _terminal = context.handTerminalOver();
  return await enterSnapshot(snapshot, { cwd: context.folder, env: context.env, pure: args.pure, command: args.command, view });
}

type Made = { readonly snapshot: ShellSnapshot; readonly isWhole: boolean; readonly references: readonly StorePath[] };

/** Realises a derivation's inputs and runs its setup on this machine. */
async function makeDerivationSnapshot(context: CommandContext, store: LocalStore, options: ProjectOptions, target: ProjectOutput, { bash, pure, env, view }: { readonly bash: Bash; readonly pure: boolean; readonly env: NodeJS.ProcessEnv; readonly view: KnownShell["view"] }): Promise<Made | { readonly code: number }> {
  const derivation = readDerivation(store, target.drvPath);
  const inputs = [...derivation.inputDerivations].flatMap(([drvPath, outputs]) => [...outputs].map((output) => ({ drvPath, output })));
  const paths = await realiseProject(context, options, inputs);
  const captured = await captureShell({
    name: derivation.name,
    derivation: derivationEnvironment(derivation, store.storeDir, context.flags.cores ?? availableParallelism(), FOLDER_MARK),
    bash: bash.program,
    env,
    pure,
    cwd: context.folder,
    wrap: (words) => (view === null ? words : inStoreView({ ...view, folder: context.folder }, words)),
  });
  if ("code" in captured) return captured;
  return { ...captured, references: [...paths, ...derivation.inputSources, ...bash.references] };
}

/** Builds the environment of a derivation's builder. */
async function makeFlakeSnapshot(context: CommandContext, store: LocalStore, options: ProjectOptions, target: ProjectOutput, bash: Bash): Promise<Made> {
  const { drvPath, outputs } = await writeEnvironmentDerivation(store, readDerivation(store, target.drvPath));
  const paths = await realiseProject(context, options, [...outputs.keys()].map((output) => ({ drvPath, output })));
  for (const path of paths) {
    const text = await readFile(store.realPath(path), "utf8").catch(() => "");
    if (text === "") continue;
    const snapshot = readEnvironmentOutput(text, { name: readDerivation(store, target.drvPath).name, bash: bash.program, gcRoot: formatStorePath(path, store.storeDir) });
    return { snapshot, isWhole: true, references: [path, ...bash.references] };
  }
  throw new TsosError({ code: "nix.no-environment", message: `the setup of "${target.drvPath}" wrote no environment` });
}

type Bash = { readonly program: string; readonly references: readonly StorePath[] };

/** The bash that `NIX_BUILD_SHELL` or the project's nixpkgs names, else the machine's. */
async function findBash(context: CommandContext, store: LocalStore, options: ProjectOptions, { found }: ProjectEvaluation, isFlake: boolean): Promise<Bash> {
  const own = context.env["NIX_BUILD_SHELL"];
  const derivation = found.find(({ isShell }) => isShell === true);
  if (own === undefined && derivation !== undefined) {
    try {
      const [path] = await realiseProject(context, options, [derivation]);
      if (path !== undefined) return { program: `${formatStorePath(path, store.storeDir)}/bin/bash`, references: [path] };
    } catch (error) {
      if (context.signal.aborted || !(error instanceof TsosError)) throw error;
      context.say(`warning: the project's own bash cannot be had, so the shell is this machine's: ${error.message}`);
    }
  }
  const program = own ?? (isFlake ? findOnPath(context.env, "bash").command : "bash");
  const inStore = program.startsWith(`${store.storeDir}/`) ? [parseStorePath(program.split("/").slice(0, 4).join("/"), store.storeDir)] : [];
  return { program, references: inStore };
}

async function findView(context: CommandContext, store: LocalStore): Promise<KnownShell["view"]> {
  const { storeRoot } = context.places;
  return storeRoot === undefined ? null : { storeRoot, bubblewrap: await findSandboxTool(context, store) };
}

/** Keeps a snapshot where the next entry finds it, with what has to be the same until then. */
async function keepShell(
  context: CommandContext,
  store: LocalStore,
  project: NixProject,
  { snapshot, references, evaluation, view, start, pure }: Made & { readonly evaluation: ProjectEvaluation; readonly view: KnownShell["view"]; readonly start: number; readonly pure: boolean },
): Promise<void> {
  const { reads } = evaluation.end;
  if (reads === undefined) return;
  const more = [...configurationFiles(context.env), ...channelFolders(context, store), project.file, ...["shell.nix", "shell.config.ts"].map((name) => join(project.folder, name))];
  const read = findReads(reads, { start, storeDir: store.storeDir, more: more.map(toByteString), tarballTtl: TARBALL_TTL, now: Date.now() });
  if (read === undefined) return;
  const path = await store.addTextToStore(`${snapshot.name.replace(/[^0-9A-Za-z+\-._?=]/g, "-").replace(/^\./, "_")}-shell`, encodeUtf8(JSON.stringify(snapshot)), [...new Set(references)]);
  const inherited = project.kind === "flake" ? {} : inheritedEnvironment("derivation", context.env, pure);
  const environment = environmentKey(inherited);
  const root = shellRootLink(context.places.roots, `${knownShellFile("", project, pure)} ${environment}`);
  mkdirSync(dirname(root), { recursive: true });
  await store.addPermanentRoot(path, root);
  keepKnownShell(knownShellFile(context.places.cache, project, pure), { program: programStamp(dirname(fileURLToPath(import.meta.url))), ...read, environment, root, file: store.realPath(path), view });
}

/** What the shell exports, its hook run, as a script or as JSON. */
async function printEnvironment(context: CommandContext, snapshot: ShellSnapshot, pure: boolean, view: KnownShell["view"]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tsos-env-"));
  try {
    const file = join(folder, "variables");
    // What a hook prints is for people.
    const code = await enterSnapshot(snapshot, { cwd: context.folder, env: context.env, pure, script: `declare -px > ${file}; trap - EXIT; exit 0`, view });
    if (code !== 0) return code;
    const variables: Record<string, string> = {};
    // The shell's own folder is gone.
    const gone = new Set(["NIX_BUILD_TOP", "TMP", "TMPDIR", "TEMP", "TEMPDIR", "SHLVL", "_", "OLDPWD"]);
    for (const { name, value } of parseBashVariables(readFileSync(file, "utf8"))) if (value !== undefined && !gone.has(name)) variables[name] = readBashValue(value);
    for (const name of gone) if (context.env[name] !== undefined) variables[name] = context.env[name];
    if (context.flags.json) context.print(JSON.stringify({ version: 1, variables: Object.fromEntries(Object.entries(variables).filter(([name, value]) => context.env[name] !== value)), shellHook: "" }));
    else context.print(formatEnvironmentScript({ version: 1, name: snapshot.name, packages: [], env: {}, shellHook: "" }, variables, context.env).replace(/\n$/, ""));
    return ExitCode.done;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether `<nixpkgs>` may mean something. */
function hasNixpkgs(context: CommandContext, store: LocalStore): boolean {
  const named = context.env["NIX_PATH"];
  return named === undefined ? channelFolders(context, store).some((folder) => existsSync(join(folder, "nixpkgs"))) : named.includes("nixpkgs");
}

/** What the search path is by default. */
function channelFolders(context: CommandContext, store: LocalStore): readonly string[] {
  return [join(context.env["HOME"] ?? homedir(), ".nix-defexpr/channels"), join(store.stateDir, "profiles/per-user/root/channels")];
}
