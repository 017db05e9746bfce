import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { defaultSystemFeatures } from "../build/check-platform.ts";
import { PUBLIC_CACHE } from "../cache/public-cache.ts";
import { TsosError } from "../error/tsos-error.ts";

/** How a setting is written: what the reference's own listing of its settings says of each. */
type SettingKind = "bool" | "int" | "list" | "map" | "string";

const NAMES: Readonly<Record<SettingKind, string>> = {
  bool: `
    abort-on-warn accept-flake-config allow-dirty allow-dirty-locks allow-import-from-derivation
    allow-new-privileges allow-symlinked-store allow-unsafe-native-code-during-evaluation
    always-allow-substitutes auto-allocate-uids auto-optimise-store builders-use-substitutes
    compress-build-log debugger-on-trace debugger-on-warn eval-cache fallback filter-syscalls
    fsync-metadata fsync-store-paths http2 ignore-try impersonate-linux-26 keep-build-log
    keep-derivations keep-env-derivations keep-failed keep-going keep-outputs
    nix-shell-always-looks-for-shell-nix nix-shell-shebang-arguments-relative-to-script
    preallocate-contents print-missing pure-eval require-drop-supplementary-groups require-sigs
    restrict-eval run-diff-hook sandbox-fallback show-trace substitute sync-before-registering
    trace-function-calls trace-import-from-derivation trace-verbose trust-tarballs-from-git-forges
    use-case-hack use-cgroups use-registries use-sqlite-wal use-xdg-base-directories warn-dirty
    warn-short-path-literals`,
  int: `
    build-poll-interval connect-timeout cores download-attempts download-buffer-size download-speed
    eval-attrset-update-layer-rhs-threshold eval-profiler-frequency gc-reserved-space http-connections
    id-count log-lines max-build-log-size max-call-depth max-free max-silent-time max-substitution-jobs
    min-free min-free-check-interval nar-buffer-size narinfo-cache-meta-ttl narinfo-cache-negative-ttl
    narinfo-cache-positive-ttl stalled-download-timeout start-id tarball-ttl timeout
    warn-large-path-threshold`,
  list: `
    allowed-impure-host-deps allowed-uris allowed-users build-hook experimental-features
    external-builders extra-platforms hashed-mirrors ignored-acls nix-path plugin-files sandbox-paths
    secret-key-files substituters system-features trusted-public-keys trusted-substituters trusted-users`,
  map: "access-tokens impure-env",
  string: `
    bash-prompt bash-prompt-prefix bash-prompt-suffix build-dir build-users-group builders
    commit-lock-file-summary diff-hook eval-profile-file eval-profiler eval-system flake-registry
    json-log-path lint-absolute-path-literals lint-short-path-literals lint-url-literals max-jobs
    netrc-file post-build-hook pre-build-hook sandbox sandbox-build-dir sandbox-dev-shm-size
    ssl-cert-file store system upgrade-nix-store-path-url user-agent-suffix`,
};

const ALIASES: Readonly<Record<string, string>> = {
  "commit-lockfile-summary": "commit-lock-file-summary",
  "build-compress-log": "compress-build-log",
  "build-cores": "cores",
  "build-fallback": "fallback",
  "binary-caches-parallel-connections": "http-connections",
  "build-impersonate-linux-26": "impersonate-linux-26",
  "build-keep-log": "keep-build-log",
  "gc-keep-derivations": "keep-derivations",
  "env-keep-derivations": "keep-env-derivations",
  "gc-keep-outputs": "keep-outputs",
  "build-max-log-size": "max-build-log-size",
  "build-max-jobs": "max-jobs",
  "build-max-silent-time": "max-silent-time",
  "substitution-max-jobs": "max-substitution-jobs",
  "build-use-chroot": "sandbox",
  "build-use-sandbox": "sandbox",
  "build-chroot-dirs": "sandbox-paths",
  "build-sandbox-paths": "sandbox-paths",
  "build-use-substitutes": "substitute",
  "binary-caches": "substituters",
  "build-timeout": "timeout",
  "binary-cache-public-keys": "trusted-public-keys",
  "trusted-binary-caches": "trusted-substituters",
};

/** What `extra-NAME` adds to where nobody set the list itself. */
const DEFAULTS: Readonly<Record<string, () => string>> = {
  substituters: () => PUBLIC_CACHE.substituters.join(" "),
  "trusted-public-keys": () => PUBLIC_CACHE.trustedPublicKeys.join(" "),
  "trusted-users": () => "root",
  "allowed-users": () => "*",
  "system-features": () => defaultSystemFeatures().join(" "),
};

const LINTS = new Set(["lint-absolute-path-literals", "lint-short-path-literals", "lint-url-literals"]);

let kinds: Map<string, SettingKind> | undefined;

function kindOf(name: string): SettingKind | undefined {
  if (kinds === undefined) {
    kinds = new Map();
    for (const [kind, names] of Object.entries(NAMES)) for (const one of names.trim().split(/\s+/)) kinds.set(one, kind as SettingKind);
  }
  return kinds.get(name);
}

/** What a command line's `--name` may be: a setting, with what it takes. */
export function findSettingFlag(flag: string): { readonly name: string; readonly value: "true" | "false" | "argument" | "relaxed" } | undefined {
  if (flag === "relaxed-sandbox") return { name: "sandbox", value: "relaxed" };
  const negated = flag.startsWith("no-") ? flag.slice(3) : undefined;
  const name = ALIASES[flag] ?? flag;
  const kind = kindOf(name);
  if (name === "sandbox") return { name, value: "true" };
  if (kind !== undefined) return { name, value: kind === "bool" ? "true" : "argument" };
  if (flag.startsWith("extra-")) {
    const base = flag.slice(6);
    const appended = kindOf(base);
    return appended === "list" || appended === "map" ? { name: flag, value: "argument" } : undefined;
  }
  if (negated !== undefined && (negated === "sandbox" || kindOf(negated) === "bool")) return { name: negated, value: "false" };
  return undefined;
}

/**
 * The settings of nix.conf, its users' own files, `NIX_CONFIG` and the command line. A later value replaces an
 * earlier one; `extra-NAME` adds to a list.
 */
export class NixConfiguration {
  readonly #values: Map<string, string>;
  readonly #unknown = new Set<string>();
  /** What was set since the machine's own file was read. */
  readonly #overridden = new Set<string>();

  constructor(values: Iterable<readonly [string, string]> = []) {
    this.#values = new Map(values);
  }

  /** @throws TsosError `nix-settings.invalid` for a value that the setting cannot have. */
  set(name: string, value: string): void {
    const known = ALIASES[name] ?? name;
    let kind = kindOf(known);
    if (kind === undefined) {
      const base = name.startsWith("extra-") ? name.slice(6) : undefined;
      kind = base === undefined ? undefined : kindOf(base);
      if (base === undefined || (kind !== "list" && kind !== "map")) {
        this.#unknown.add(name);
        return;
      }
      const before = this.#values.get(base) ?? DEFAULTS[base]?.();
      this.#values.set(base, before === undefined ? value : `${before} ${value}`);
      this.#overridden.add(base);
      return;
    }
    const text = checked(known, kind, value);
    this.#values.set(known, text);
    this.#overridden.add(known);
    // An old name for one level of the lint.
    if (known === "warn-short-path-literals") this.#values.set("lint-short-path-literals", text === "true" ? "warn" : "ignore");
  }

  /** Those that were set and are none, each once. */
  takeUnknown(): readonly string[] {
    const names = [...this.#unknown].sort();
    this.#unknown.clear();
    return names;
  }

  /** What was set until now is the machine's, and not the user's. */
  takeAsMachine(): void {
    this.#overridden.clear();
  }

  /** The settings that the user made, whole lists where only something was added to one. */
  *overridden(): Generator<readonly [name: string, value: string]> {
    for (const name of this.#overridden) yield [name, this.#values.get(name)!];
  }

  copy(): NixConfiguration {
    return new NixConfiguration(this.#values);
  }

  find(name: string): string | undefined {
    return this.#values.get(name);
  }

  bool(name: string, otherwise: boolean): boolean {
    const value = this.#values.get(name);
    return value === undefined ? otherwise : value === "true";
  }

  int(name: string, otherwise: number): number {
    const value = this.#values.get(name);
    return value === undefined ? otherwise : Number(value);
  }

  list(name: string): readonly string[] {
    return words(this.#values.get(name) ?? "");
  }

  /** What was set, as a nix.conf: for programs that are to see the same. */
  format(): string {
    return [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name} = ${value}\n`).join("");
  }
}

function words(text: string): string[] {
  return text.split(/[ \t\n\r]+/).filter((word) => word !== "");
}

const TRUE = new Set(["true", "yes", "1"]);
const FALSE = new Set(["false", "no", "0"]);
const UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

function checked(name: string, kind: SettingKind, value: string): string {
  switch (kind) {
    case "bool":
      if (TRUE.has(value)) return "true";
      if (FALSE.has(value)) return "false";
      throw invalid(`Boolean setting '${name}' has invalid value '${value}'`, name, value);
    case "int": {
      const match = /^(-?[0-9]+)([KMGT]?)$/i.exec(value.trim());
      if (match === null) throw invalid(`setting '${name}' has invalid value '${value}'`, name, value);
      return String(Number(match[1]) * (UNITS[match[2]!.toUpperCase()] ?? 1));
    }
    case "string":
      if (name === "sandbox" && !TRUE.has(value) && !FALSE.has(value) && value !== "relaxed") throw invalid(`option 'sandbox' has invalid value '${value}'`, name, value);
      if (name === "max-jobs" && value !== "auto" && !/^[0-9]+$/.test(value)) throw invalid("configuration setting 'max-jobs' should be 'auto' or an integer", name, value);
      if (LINTS.has(name) && !["ignore", "warn", "fatal"].includes(value)) throw invalid(`setting '${name}' has invalid value '${value}'`, name, value);
      return value;
    default:
      return value;
  }
}

function invalid(message: string, name: string, value: string): TsosError {
  return new TsosError({ code: "nix-settings.invalid", message, data: { name, value } });
}

/**
 * Reads nix.conf of `NIX_CONF_DIR` (default `/etc/nix`), the users' own (`NIX_USER_CONF_FILES`, else `nix/nix.conf`
 * in the XDG configuration folders) and `NIX_CONFIG`. `NIX_PATH` takes the place of the setting `nix-path`.
 *
 * @throws TsosError `nix-settings.syntax`, `nix-settings.invalid`
 */
export function loadNixConfiguration(env: Readonly<Record<string, string | undefined>>): NixConfiguration {
  const settings = new NixConfiguration();
  const nixPath = env["NIX_PATH"];
  const apply = (text: string, file: string): void => {
    const entries: (readonly [string, string])[] = [];
    readEntries(text, file, entries);
    // What is experimental decides on what else may be set.
    const early = (name: string): boolean => name === "experimental-features" || name === "extra-experimental-features";
    for (const [name, value] of [...entries.filter(([name]) => early(name)), ...entries.filter(([name]) => !early(name))]) {
      if (nixPath !== undefined && (name === "nix-path" || name === "extra-nix-path")) continue;
      settings.set(name, value);
    }
  };
  const [machine, ...users] = configurationFiles(env);
  const applyFile = (file: string): void => {
    const text = readIfThere(file);
    if (text !== undefined) apply(text, file);
  };
  applyFile(machine!);
  settings.takeAsMachine();
  users.forEach(applyFile);
  const own = env["NIX_CONFIG"];
  if (own !== undefined) apply(own, "NIX_CONFIG");
  if (nixPath !== undefined) settings.set("nix-path", parseNixPath(nixPath).join(" "));
  return settings;
}

/** Where settings are looked for, there or not: the machine's first, the user's own last. */
export function configurationFiles(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const machine = join(env["NIX_CONF_DIR"] ?? "/etc/nix", "nix.conf");
  const named = env["NIX_USER_CONF_FILES"];
  if (named !== undefined) return [machine, ...named.split(":").filter((file) => file !== "").reverse()];
  const home = env["HOME"];
  const own = env["XDG_CONFIG_HOME"] ?? (home === undefined ? undefined : join(home, ".config"));
  const folders = [...(own === undefined ? [] : [own]), ...(env["XDG_CONFIG_DIRS"] ?? "/etc/xdg").split(":").filter((folder) => folder !== "")];
  return [machine, ...folders.map((folder) => join(folder, "nix/nix.conf")).reverse()];
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function readEntries(text: string, file: string, entries: (readonly [string, string])[]): void {
  for (const whole of text.split("\n")) {
    const line = whole.replace(/#.*$/s, "");
    const tokens = words(line);
    if (tokens.length === 0) continue;
    const syntax = (): TsosError => new TsosError({ code: "nix-settings.syntax", message: `syntax error in configuration line '${line}' in '${file}'`, data: { file, line } });
    const [name, operator, ...value] = tokens as [string, ...string[]];
    if (operator === undefined) throw syntax();
    if (name === "include" || name === "!include") {
      if (value.length > 0) throw syntax();
      const included = resolve(dirname(file), operator);
      const contents = readIfThere(included);
      if (contents !== undefined) readEntries(contents, included, entries);
      else if (name === "include") {
        throw new TsosError({ code: "nix-settings.missing", message: `file '${included}' included from '${file}' not found`, data: { file, included } });
      }
      continue;
    }
    if (operator !== "=") throw syntax();
    entries.push([name, value.join(" ")]);
  }
}

/** Names that are fetched: their own colons do not end an entry of `NIX_PATH`. */
export function isPseudoUrl(text: string): boolean {
  return text.startsWith("channel:") || /^(?:https?|file|channel|git|s3|ssh):\/\//.test(text);
}

/** `NIX_PATH`'s entries. Nix: libexpr/eval-settings.cc */
export function parseNixPath(text: string): readonly string[] {
  const entries: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const start = at;
    let value = at;
    for (; at < text.length && text[at] !== ":"; at++) if (text[at] === "=") value = at + 1;
    if (at === text.length) {
      if (at > start) entries.push(text.slice(start));
      break;
    }
    const rest = text.slice(value);
    if (isPseudoUrl(rest) || rest.startsWith("flake:")) for (at++; at < text.length && text[at] !== ":"; at++);
    entries.push(text.slice(start, at));
  }
  return entries;
}
