import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { quoteForShell } from "../nix/shell-words.ts";

/**
 * What a shell of a Nix project is after its setup ran, so that it need not run again. It lies in the store, and refers
 * to all that the shell needs.
 *
 * - `derivation`: as `nix-shell` makes it: the setup ran with this machine's environment.
 * - `flake`: as `nix develop` does: it ran in a build.
 */
export type ShellSnapshot = {
  readonly version: 1;
  readonly style: "derivation" | "flake";
  readonly name: string;
  /** Bash that makes it so again. `FOLDER_MARK` stands for the shell's own temporary folder. */
  readonly script: string;
  /** What it finds in that folder: path below it → contents (bytes as characters), or null for a folder. */
  readonly files: Readonly<Record<string, string | null>>;
  /** The bash of the shell. */
  readonly bash: string;
  /** Of a flake: output path → name. They are shown in `./outputs`, where a build by hand can write. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Set for the shell's process. */
  readonly environment: Readonly<Record<string, string>>;
};

export const FOLDER_MARK = "/tsos-shell-folder/8d1c3f";

export type EnterOptions = {
  readonly snapshot: ShellSnapshot;
  /** For this shell alone. */
  readonly folder: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pure: boolean;
  readonly isRoot: boolean;
  readonly interactive: boolean;
  /** A command in the shell's own language, run in place of an interactive shell. */
  readonly command: string | undefined;
};

/** What a pure shell keeps of the environment around it. */
const KEPT = new Set([
  ..."HOME XDG_RUNTIME_DIR USER LOGNAME DISPLAY WAYLAND_DISPLAY WAYLAND_SOCKET PATH TERM IN_NIX_SHELL NIX_SHELL_PRESERVE_PROMPT TZ PAGER".split(" "),
  ..."NIX_BUILD_SHELL SHLVL".split(" "),
  ...["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]),
]);

/** The environment that a shell of this style inherits. */
export function inheritedEnvironment(style: ShellSnapshot["style"], env: Readonly<Record<string, string | undefined>>, pure: boolean): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (!pure || (style === "derivation" && KEPT.has(name)))) inherited[name] = value;
  }
  return inherited;
}

/** Writes what the shell reads, and gives the words and the environment to start it with. */
export function prepareEntry(options: EnterOptions): { readonly words: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const { snapshot, folder, interactive } = options;
  for (const [name, contents] of Object.entries(snapshot.files)) {
    const file = join(folder, name);
    mkdirSync(contents === null ? file : dirname(file), { recursive: true });
    if (contents !== null) writeFileSync(file, contents.replaceAll(FOLDER_MARK, folder), "latin1");
  }
  const rc = join(folder, "rc");
  let text = (snapshot.style === "derivation" ? formatDerivationRc : formatFlakeRc)(options).replaceAll(FOLDER_MARK, folder);
  for (const [path, name] of Object.entries(snapshot.outputs)) text = text.replaceAll(path, join(options.cwd, "outputs", name));
  writeFileSync(rc, text);
  const env = { ...inheritedEnvironment(snapshot.style, options.env, options.pure), ...snapshot.environment };
  for (const [name, value] of Object.entries(env)) env[name] = value.replaceAll(FOLDER_MARK, folder);
  return { words: [snapshot.bash, ...(interactive ? ["--rcfile", rc] : [rc])], env };
}

/** After Nix: src/nix/nix-build, with the state that setup left in place of setup. */
function formatDerivationRc({ snapshot, pure, env, isRoot, command }: EnterOptions): string {
  return [
    ...(pure ? [] : ['[ -n "$PS1" ] && [ -e ~/.bashrc ] && source ~/.bashrc', "p=$PATH"]),
    snapshot.script,
    ...formatDerivationTail({ bash: snapshot.bash, pure, env, isRoot }),
    ...(command === undefined ? [] : [command, "exit"]),
    "",
  ].join("\n");
}

/** What follows on the setup, each time. */
function formatDerivationTail({ bash, pure, env, isRoot }: { readonly bash: string; readonly pure: boolean; readonly env: Readonly<Record<string, string | undefined>>; readonly isRoot: boolean }): readonly string[] {
  const timeZone = env["TZ"];
  return [
    ...(pure ? [] : ["PATH=$PATH:$p", "unset p"]),
    ...(bash.includes("/") ? [`PATH=${quoteForShell(dirname(bash))}:"$PATH"`] : []),
    `SHELL=${quoteForShell(bash)}`,
    `BASH=${quoteForShell(bash)}`,
    "set +e",
    `[ -n "$PS1" -a -z "$NIX_SHELL_PRESERVE_PROMPT" ] && PS1='\\n\\[\\033[1;${isRoot ? 31 : 32}m\\][nix-shell:\\w]\\$\\[\\033[0m\\] '`,
    'if [ "$(type -t runHook)" = function ]; then runHook shellHook; fi',
    "unset NIX_ENFORCE_PURITY",
    "shopt -u nullglob",
    "unset TZ",
    ...(timeZone === undefined ? [] : [`export TZ=${quoteForShell(timeZone)}`]),
    "shopt -s execfail",
  ];
}

/** Nix: src/nix/develop.cc */
function formatFlakeRc({ snapshot, interactive, command }: EnterOptions): string {
  const saved = ["PATH", "XDG_DATA_DIRS"];
  return [
    ...(interactive ? ['[ -n "$PS1" ] && [ -e ~/.bashrc ] && source ~/.bashrc', "shopt -u expand_aliases"] : []),
    "unset shellHook",
    ...saved.flatMap((name) => [`${name}=\${${name}:-}`, `nix_saved_${name}="$${name}"`]),
    snapshot.script,
    ...saved.map((name) => `${name}="$${name}\${nix_saved_${name}:+:$nix_saved_${name}}"`),
    ...["NIX_BUILD_TOP", "TMP", "TMPDIR", "TEMP", "TEMPDIR"].map((name) => `export ${name}=${FOLDER_MARK}`),
    'eval "${shellHook:-}"',
    ...(interactive ? ["shopt -s expand_aliases"] : []),
    `SHELL=${quoteForShell(snapshot.bash)}`,
    ...(snapshot.bash.startsWith("/nix/store/") ? [`PATH=${quoteForShell(dirname(snapshot.bash))}"\${PATH:+:$PATH}"`] : []),
    ...(command === undefined ? [] : [command]),
    "",
  ].join("\n");
}
