import { dirname } from "node:path";
import { quoteForShell } from "./shell-words.ts";

/** What a pure shell keeps of the environment around it. Nix: src/nix/nix-build */
export const KEPT_IN_PURE_SHELL: ReadonlySet<string> = new Set([
  ..."HOME XDG_RUNTIME_DIR USER LOGNAME DISPLAY WAYLAND_DISPLAY WAYLAND_SOCKET PATH TERM IN_NIX_SHELL NIX_SHELL_PRESERVE_PROMPT TZ PAGER".split(" "),
  ..."NIX_BUILD_SHELL SHLVL".split(" "),
  ...["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]),
]);

export type AfterSetup = {
  /** The bash that runs the shell. */
  readonly bash: string;
  readonly pure: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
};

/** Lines for bash that go before the setup of a derivation's shell: setup makes the path, what was there before comes after it. */
export function beforeSetup(pure: boolean): readonly string[] {
  return pure ? [] : ['[ -n "$PS1" ] && [ -e ~/.bashrc ] && source ~/.bashrc', "p=$PATH"];
}

/** Lines for bash that follow on it. Hooks and variables have the names that nixpkgs' `setup` and people's own files know. */
export function afterSetup({ bash, pure, env, isRoot }: AfterSetup): readonly string[] {
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

/** Lines for bash that remove the shell's own folder when it ends. */
export function removeAtExit(folder: string): readonly string[] {
  return [`_nix_shell_clean_tmpdir() { command rm -rf ${quoteForShell(folder)}; }`, "trap _nix_shell_clean_tmpdir EXIT", "exitHooks+=(_nix_shell_clean_tmpdir)", "failureHooks+=(_nix_shell_clean_tmpdir)"];
}
