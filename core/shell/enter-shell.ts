import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Tool } from "../build/tool.ts";
import { TsosError } from "../error/tsos-error.ts";
import { runOnTerminal } from "../util/run-on-terminal.ts";
import { inStoreView } from "./store-view.ts";
import { formatEnvironmentScript, quote, shellVariables, type ShellEnvironment } from "./shell-environment.ts";

export type EnterShellOptions = {
  readonly environment: ShellEnvironment;
  /** A program and its arguments; undefined for an interactive shell. */
  readonly command?: readonly string[] | undefined;
  /** What the shell inherits. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  /** The folder that holds the store when that is not at `/nix/store`; the shell sees it there all the same. */
  readonly storeRoot?: string | undefined;
  /** For a store that is elsewhere. */
  readonly bubblewrap?: Tool | undefined;
};

const STORE = "/nix/store";

/** Runs a shell, or a command in it, on this terminal, and gives its exit code. */
export async function enterShell(options: EnterShellOptions): Promise<number> {
  const { environment, env, command } = options;
  const physical = (path: string): string => (options.storeRoot === undefined ? path : join(options.storeRoot, path));
  const variables = shellVariables(environment, env, (path) => existsSync(physical(path)));
  if (command === undefined) return enterInteractively(options, variables);
  const [program, ...args] = command;
  if (program === undefined) throw new TsosError({ code: "shell.no-command", message: "there is no command after --", hint: "leave out -- for an interactive shell" });
  if (environment.shellHook === "") return run(options, program, args, variables);
  // The hook is bash, and what it sets is for the command.
  const script = `${environment.shellHook}\nexec "$@"`;
  return run(options, findBash(options, variables), ["--noprofile", "--norc", "-c", script, "tsos-shell", program, ...args], variables);
}

async function enterInteractively(options: EnterShellOptions, variables: Readonly<Record<string, string>>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tsos-shell-"));
  try {
    const rc = join(folder, "bashrc");
    writeFileSync(rc, formatRcFile(options.environment, variables, options.env));
    return await run(options, findBash(options, variables), ["--rcfile", rc, "-i"], variables);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The user's own settings first, then the shell's, which so are the last to change `PATH`. */
function formatRcFile(environment: ShellEnvironment, variables: Readonly<Record<string, string>>, inherited: Readonly<Record<string, string | undefined>>): string {
  return [
    "[ -e ~/.bashrc ] && . ~/.bashrc",
    formatEnvironmentScript({ ...environment, shellHook: "" }, variables, inherited),
    `PS1=${quote(`\\[\\e[1;32m\\]${environment.name}\\[\\e[0m\\] \\w \\$ `)}`,
    "hash -r",
    environment.shellHook,
    "",
  ].join("\n");
}

/** An interactive shell is the shell's own bash, or the machine's. */
function findBash(options: EnterShellOptions, variables: Readonly<Record<string, string>>): string {
  const found = findProgram("bash", variables["PATH"] ?? "", options.storeRoot);
  if (found === undefined) {
    throw new TsosError({ code: "shell.no-bash", message: "there is no bash on this machine", hint: "add pkgs.bash to the packages of the shell" });
  }
  return found;
}

function findProgram(name: string, path: string, storeRoot: string | undefined): string | undefined {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    const real = storeRoot !== undefined && file.startsWith(`${STORE}/`) ? join(storeRoot, file) : file;
    const stats = statSync(real, { throwIfNoEntry: false });
    if (stats?.isFile() === true && (stats.mode & 0o111) !== 0) return file;
  }
  return undefined;
}

async function run(options: EnterShellOptions, program: string, args: readonly string[], variables: Readonly<Record<string, string>>): Promise<number> {
  const { storeRoot, bubblewrap, folder } = options;
  const path = program.includes("/") ? program : findProgram(program, variables["PATH"] ?? "", storeRoot);
  if (path === undefined) {
    throw new TsosError({ code: "shell.unknown-command", message: `there is no program "${program}" in the shell`, hint: "add the package that has it to the packages of the shell", data: { program } });
  }
  let words: readonly string[] = [path, ...args];
  if (storeRoot !== undefined) {
    if (bubblewrap === undefined) throw new TsosError({ code: "shell.no-namespace", message: `the store in "${storeRoot}" can be seen at ${STORE} only with bubblewrap` });
    words = inStoreView({ storeRoot, bubblewrap, folder }, words);
  }
  const [first = path, ...rest] = words;
  return runOnTerminal(first, rest, { cwd: folder, env: variables }).catch((cause: unknown) => {
    throw new TsosError({ code: "shell.cannot-start", message: `"${first}" cannot be started`, cause });
  });
}
