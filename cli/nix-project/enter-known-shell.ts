// The way into a Nix project's shell that was entered before. It is a program of its own, small, since people wait for it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inStoreView } from "../../core/shell/store-view.ts";
import { runOnTerminal } from "../../core/util/run-on-terminal.ts";
import { findPlaces } from "../places.ts";
import { quoteForShell } from "../nix/shell-words.ts";
import { findNixProject } from "./find-project.ts";
import { environmentKey, findKnownShell, knownShellFile, programStamp, type KnownShell } from "./known-shell.ts";
import { inheritedEnvironment, prepareEntry, type ShellSnapshot } from "./shell-snapshot.ts";

type Words = { readonly target?: string | undefined; readonly pure: boolean; readonly command?: readonly string[] | undefined };

/** `tsos shell` with these arguments, where all is known; undefined where the whole program has to look. */
export async function enterKnownShell(argv: readonly string[], distFolder: string): Promise<number | undefined> {
  const words = readWords(argv);
  if (words === undefined) return undefined;
  const cwd = process.cwd();
  const project = findNixProject(cwd, "shell", { target: words.target, configs: ["shell.config.ts"] });
  if (project === undefined) return undefined;
  const { env } = process;
  const places = findPlaces(env, process.getuid?.() ?? 0, undefined);
  const inherited = project.kind === "flake" ? {} : inheritedEnvironment("derivation", env, words.pure);
  const found = findKnownShell(knownShellFile(places.cache, project, words.pure), { program: programStamp(distFolder), environment: environmentKey(inherited), env, now: Date.now() });
  if (found === undefined) return undefined;
  return enterSnapshot(found.snapshot, { cwd, env, pure: words.pure, command: words.command, view: found.known.view });
}

/** Runs a shell as a snapshot has it, or a command in it, and gives its exit code. */
export async function enterSnapshot(snapshot: ShellSnapshot, { cwd, env, pure, command, view, script }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly pure: boolean; readonly command?: readonly string[] | undefined; readonly view: KnownShell["view"]; /** In the shell's own language, in place of a command. */ readonly script?: string }): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), snapshot.style === "flake" ? "nix-shell." : "nix-shell-"));
  try {
    const isFlake = snapshot.style === "flake";
    const words = command?.map(quoteForShell).join(" ");
    const { words: started, env: own } = prepareEntry({
      snapshot,
      folder,
      cwd,
      env,
      pure,
      isRoot: process.getuid?.() === 0,
      interactive: command === undefined && script === undefined && process.stdin.isTTY === true && process.stderr.isTTY === true,
      command: script ?? (words === undefined ? undefined : isFlake ? `exec ${words}` : words),
    });
    const [program = snapshot.bash, ...args] = view === null ? started : inStoreView({ ...view, folder: cwd }, started);
    return await runOnTerminal(program, args, { cwd, env: own });
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 2 });
  }
}

/** The plain forms only: `shell [TARGET] [--pure] [-- COMMAND…]`. */
function readWords(argv: readonly string[]): Words | undefined {
  const end = argv.indexOf("--");
  const command = end < 0 ? undefined : argv.slice(end + 1);
  if (command?.length === 0) return undefined;
  let pure = false;
  let target: string | undefined;
  for (const word of end < 0 ? argv : argv.slice(0, end)) {
    if (word === "--pure") pure = true;
    else if (!word.startsWith("-") && word.includes("#") && target === undefined) target = word;
    else return undefined;
  }
  return { target, pure, command };
}
