import type { NixConfiguration } from "./nix-configuration.ts";

/** What has a place of its own in the protocol. */
const IN_FIELDS = ["keep-failed", "keep-going", "fallback", "max-jobs", "max-silent-time", "cores", "substitute"] as const;

/** What concerns this program alone: its evaluations, its shells, its words; and what no daemon takes from anybody. */
const OWN = [
  ...["abort-on-warn", "accept-flake-config", "access-tokens", "allow-dirty", "allow-dirty-locks", "allow-import-from-derivation"],
  ...["allow-unsafe-native-code-during-evaluation", "allowed-uris", "allowed-users", "bash-prompt", "bash-prompt-prefix", "bash-prompt-suffix"],
  ...["commit-lock-file-summary", "debugger-on-trace", "debugger-on-warn", "eval-attrset-update-layer-rhs-threshold", "eval-cache"],
  ...["eval-profile-file", "eval-profiler", "eval-profiler-frequency", "eval-system", "experimental-features", "flake-registry", "ignore-try"],
  ...["json-log-path", "keep-env-derivations", "lint-absolute-path-literals", "lint-short-path-literals", "lint-url-literals"],
  ...["max-call-depth", "nix-path", "nix-shell-always-looks-for-shell-nix", "nix-shell-shebang-arguments-relative-to-script"],
  ...["plugin-files", "preallocate-contents", "pure-eval", "restrict-eval", "show-trace", "tarball-ttl", "trace-function-calls"],
  ...["trace-import-from-derivation", "trace-verbose", "trust-tarballs-from-git-forges", "trusted-users", "upgrade-nix-store-path-url"],
  ...["use-case-hack", "use-registries", "warn-dirty", "warn-short-path-literals"],
] as const;

const UNTOLD: ReadonlySet<string> = new Set<string>([...IN_FIELDS, ...OWN]);

/**
 * The settings that a daemon is told, as the reference's client tells them: those of the user's own files, of `NIX_CONFIG` and
 * of the command line, and none of the machine's file, which the daemon reads itself. Which of them count is for the
 * daemon to say. Nix: libstore/remote-store.cc, setOptions.
 */
export function clientSettings(configuration: NixConfiguration): ReadonlyMap<string, string> {
  return new Map([...configuration.overridden()].filter(([name]) => !UNTOLD.has(name)).sort());
}
