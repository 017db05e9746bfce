import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { formatStructuredAttributes } from "../../core/build/structured-attributes.ts";
import type { Derivation } from "../../core/derivation/derivation.ts";
import { derivationOutputPaths } from "../../core/derivation/derivation-output-paths.ts";
import { formatStorePath } from "../../core/store-path/store-path.ts";
import { fromByteString } from "../../core/util/bytes.ts";
import { quoteForShell } from "./shell-words.ts";

/** What a pure shell keeps of the environment around it. */
const KEPT = new Set([
  "HOME", "XDG_RUNTIME_DIR", "USER", "LOGNAME", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "PATH", "TERM", "IN_NIX_SHELL",
  "NIX_SHELL_PRESERVE_PROMPT", "TZ", "PAGER", "NIX_BUILD_SHELL", "SHLVL",
  ...["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]),
]);

export type ShellOptions = {
  readonly derivation: Derivation;
  readonly storeDir: string;
  /** For this shell alone; it removes the folder when it ends. */
  readonly folder: string;
  /** The bash that runs it. */
  readonly bash: string;
  readonly pure: boolean;
  readonly keep: ReadonlySet<string>;
  /** 0: all of the machine. */
  readonly cores: number;
  readonly isRoot: boolean;
  /** Run when the shell is set up; then it ends. */
  readonly command: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** The environment of a derivation's builder, and the file that bash reads first. Nix: src/nix/nix-build */
export function prepareShell(options: ShellOptions): { readonly env: Readonly<Record<string, string>>; readonly rcFile: string } {
  const { derivation, folder, storeDir } = options;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.env)) {
    if (value !== undefined && (!options.pure || KEPT.has(name) || options.keep.has(name))) env[name] = value;
  }
  // Else a login script of the machine would set its own environment.
  if (options.pure) env["__ETC_PROFILE_SOURCED"] = "1";
  for (const name of ["NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP"]) env[name] = folder;
  env["NIX_STORE"] = storeDir;
  env["NIX_BUILD_CORES"] = String(options.cores > 0 ? options.cores : availableParallelism());

  const structured = derivation.env.get("__json");
  const asFile = new Set((structured === undefined ? (derivation.env.get("passAsFile") ?? "") : "").split(/\s+/).filter((word) => word !== ""));
  let files = 0;
  for (const [key, value] of derivation.env) {
    if (key === "__json") continue;
    const name = fromByteString(key);
    if (asFile.has(key)) {
      const file = join(folder, `.attr-${files++}`);
      writeFileSync(file, value, "latin1");
      env[`${name}Path`] = file;
    } else env[name] = fromByteString(value);
  }
  let declarations = "";
  if (structured !== undefined) {
    const outputs = Object.fromEntries([...derivationOutputPaths(derivation, storeDir)].map(([name, path]) => [name, path === undefined ? "" : formatStorePath(path, storeDir)]));
    const attributes = formatStructuredAttributes(fromByteString(structured), { outputs });
    declarations = attributes.shell;
    env["NIX_ATTRS_JSON_FILE"] = join(folder, ".attrs.json");
    env["NIX_ATTRS_SH_FILE"] = join(folder, ".attrs.sh");
    writeFileSync(env["NIX_ATTRS_JSON_FILE"], attributes.json);
    writeFileSync(env["NIX_ATTRS_SH_FILE"], attributes.shell);
  }
  const rcFile = join(folder, "rc");
  writeFileSync(rcFile, formatRcFile(options, declarations));
  return { env, rcFile };
}

/** Hooks and variables have the names that nixpkgs' `setup` and people's own files know. */
function formatRcFile({ folder, bash, pure, isRoot, command, env }: ShellOptions, declarations: string): string {
  const timeZone = env["TZ"];
  const binFolder = dirname(bash);
  return [
    `_nix_shell_clean_tmpdir() { command rm -rf ${quoteForShell(folder)}; }`,
    "trap _nix_shell_clean_tmpdir EXIT",
    "exitHooks+=(_nix_shell_clean_tmpdir)",
    "failureHooks+=(_nix_shell_clean_tmpdir)",
    ...(pure ? [] : ['[ -n "$PS1" ] && [ -e ~/.bashrc ] && source ~/.bashrc', "p=$PATH"]),
    // setup makes the path; what was there before comes after it.
    "unset PATH",
    "dontAddDisableDepTrack=1",
    declarations.trimEnd(),
    "[ -e $stdenv/setup ] && source $stdenv/setup",
    ...(pure ? [] : ["PATH=$PATH:$p", "unset p"]),
    ...(binFolder === "." ? [] : [`PATH=${quoteForShell(binFolder)}:"$PATH"`]),
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
    command,
    "",
  ].join("\n");
}
