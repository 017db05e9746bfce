import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readlinkSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isStampUnchanged, type PathStamp } from "./file-stamps.ts";
import type { ShellSnapshot } from "./shell-snapshot.ts";

/** A shell that was entered, with all that its environment followed from. */
export type KnownShell = {
  /** What made it: another tsos makes it anew. */
  readonly program: string;
  readonly stamps: readonly PathStamp[];
  /** What the evaluation read of the environment: name and value, or null where there was none. */
  readonly variables: readonly (readonly [name: string, value: string | null])[];
  /** Milliseconds since 1970; null where nothing that it read can grow old. */
  readonly validUntil: number | null;
  /** Of the environment that setup ran with. */
  readonly environment: string;
  /** Keeps the snapshot, and so all that the shell needs, from being collected. */
  readonly root: string;
  /** Where the snapshot is on this machine. */
  readonly file: string;
  /** The words that show a store that is elsewhere: null where it is at its place. */
  readonly view: { readonly storeRoot: string; readonly bubblewrap: { readonly command: string; readonly args: readonly string[] } } | null;
};

/** Environments of one shell that are kept: a terminal, an editor, one with another setting. */
const VARIANTS = 4;

/** What a shell is told apart by, before anything is read. */
export function knownShellFile(cacheFolder: string, project: { readonly file: string; readonly attribute: string }, pure: boolean): string {
  const key = createHash("sha256").update(JSON.stringify([project.file, project.attribute, pure])).digest("hex").slice(0, 40);
  return join(cacheFolder, "nix-shells", `${key}.json`);
}

/** What made a snapshot: this program's own files. */
export function programStamp(distFolder: string): string {
  const { mtimeMs, size } = statSync(join(distFolder, "nix-evaluator.cjs"));
  return `${mtimeMs}.${size}`;
}

/** The shell as it was, if all that it followed from is still so. */
export function findKnownShell(file: string, { program, environment, env, now }: { readonly program: string; readonly environment: string; readonly env: Readonly<Record<string, string | undefined>>; readonly now: number }): { readonly known: KnownShell; readonly snapshot: ShellSnapshot } | undefined {
  const known = readKnownShells(file).find((one) => one.program === program && one.environment === environment);
  if (known === undefined || (known.validUntil !== null && now >= known.validUntil)) return undefined;
  if (!known.variables.every(([name, value]) => (env[name] ?? null) === value) || !known.stamps.every(isStampUnchanged)) return undefined;
  try {
    if (!known.file.endsWith(readlinkSync(known.root))) return undefined;
    return { known, snapshot: JSON.parse(readFileSync(known.file, "utf8")) as ShellSnapshot };
  } catch {
    // Its root was taken away, and it was collected.
    return undefined;
  }
}

export function keepKnownShell(file: string, shell: KnownShell): void {
  const others = readKnownShells(file).filter((one) => one.program === shell.program && one.environment !== shell.environment);
  mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
  const temporary = `${file}.tmp-${process.pid}`;
  writeFileSync(temporary, JSON.stringify([shell, ...others].slice(0, VARIANTS)), { mode: 0o600 });
  renameSync(temporary, file);
}

function readKnownShells(file: string): readonly KnownShell[] {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as readonly KnownShell[];
  } catch {
    return [];
  }
}

/** Of a terminal or a session, and nothing that a setup looks at; what of it an evaluation reads is compared by itself. */
const PASSING = new Set([
  ..."PATH PWD OLDPWD SHLVL _ TERM COLORTERM COLUMNS LINES DISPLAY WAYLAND_DISPLAY WAYLAND_SOCKET XAUTHORITY WINDOWID GPG_TTY STY".split(" "),
  ..."VTE_VERSION DBUS_SESSION_BUS_ADDRESS SESSION_MANAGER INVOCATION_ID JOURNAL_STREAM LS_COLORS PS1 PROMPT_COMMAND HISTFILE TERMCAP".split(" "),
]);
const PASSING_PREFIX = /^(?:SSH_|TMUX|TERM_|ITERM_|KITTY_|ALACRITTY_|WEZTERM_|XDG_SESSION|XDG_VTNR|XDG_SEAT|VSCODE_|KONSOLE_|GNOME_TERMINAL)/;

/** Tells the environments apart in which a setup could come to another end. */
export function environmentKey(inherited: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(inherited).sort()) if (!PASSING.has(name) && !PASSING_PREFIX.test(name)) hash.update(`${name}=${inherited[name]!}\0`);
  return hash.digest("hex").slice(0, 32);
}
