import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterSetup, beforeSetup, KEPT_IN_PURE_SHELL } from "../nix/after-setup.ts";
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

/** The environment that a shell of this style inherits. */
export function inheritedEnvironment(style: ShellSnapshot["style"], env: Readonly<Record<string, string | undefined>>, pure: boolean): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (!pure || (style === "derivation" && KEPT_IN_PURE_SHELL.has(name)))) inherited[name] = value;
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
    ...beforeSetup(pure),
    snapshot.script,
    ...afterSetup({ bash: snapshot.bash, pure, env, isRoot }),
    ...(command === undefined ? [] : [command, "exit"]),
    "",
  ].join("\n");
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
