import { TsosError } from "../error/tsos-error.ts";
import type { InputOptions, InputSpec } from "./input.ts";

export type GitInput = InputOptions & {
  /** A branch or tag; the repository's own choice without one. */
  readonly ref?: string;
  /** A commit. */
  readonly rev?: string;
  readonly submodules?: boolean;
  /** Only the commit, without its history. */
  readonly shallow?: boolean;
  /** Look for `rev` on all branches. */
  readonly allRefs?: boolean;
};

export type ForgeInput = InputOptions & {
  readonly rev?: string;
  /** Another server of the same kind. */
  readonly host?: string;
};

export type TarballInput = InputOptions & {
  /** What its tree must hash to, in SRI form. */
  readonly narHash?: string;
};

/**
 * A repository on GitHub, as an archive of one commit. `ref` is a branch, a tag or a commit.
 * @example github("owner/repo")  github("owner/repo", "v1.2")
 */
export function github(repository: string, ref?: string | ForgeInput, options: ForgeInput = {}): InputSpec {
  return forge("github", repository, ref, options);
}

/** The same on GitLab. */
export function gitlab(repository: string, ref?: string | ForgeInput, options: ForgeInput = {}): InputSpec {
  return forge("gitlab", repository, ref, options);
}

/** The same on SourceHut. */
export function sourcehut(repository: string, ref?: string | ForgeInput, options: ForgeInput = {}): InputSpec {
  return forge("sourcehut", repository, ref, options);
}

/**
 * A git repository that the program git reaches: `https://…`, `ssh://…`, `git@host:path`, `file:///…`.
 * @example git("https://git.example/site.git", { ref: "main" })
 */
export function git(url: string, options: GitInput = {}): InputSpec {
  checkText("git", "url", url);
  const { flake, config, overlays, substituters, trustedPublicKeys, ...source } = options;
  return createSpec({ type: "git", url, ...defined(source) }, { flake, config, overlays, substituters, trustedPublicKeys });
}

/**
 * An archive (tar or zip), unpacked; a folder that holds all of it is left out.
 * @example tarball("https://a.example/data-1.0.tar.gz")
 */
export function tarball(url: string, options: TarballInput = {}): InputSpec {
  checkText("tarball", "url", url);
  const { flake, config, overlays, substituters, trustedPublicKeys, ...source } = options;
  return createSpec({ type: "tarball", url, ...defined(source) }, { flake, config, overlays, substituters, trustedPublicKeys });
}

function forge(type: string, repository: string, ref: string | ForgeInput | undefined, more: ForgeInput): InputSpec {
  checkText(type, "repository", repository);
  const match = /^([^/]+(?:\/[^/]+)*)\/([^/]+)$/.exec(repository.replace(/\.git$/, ""));
  if (match === null || (type !== "gitlab" && match[1]!.includes("/"))) {
    throw new TsosError({ code: "input.bad-repository", message: `"${repository}" does not name a repository, expected "owner/repo"`, hint: `${type}("owner/repo", "branch")`, data: { repository } });
  }
  const { flake, config, overlays, substituters, trustedPublicKeys, ...source } = typeof ref === "object" ? ref : more;
  const isRevision = typeof ref === "string" && /^[0-9a-f]{40}$/.test(ref);
  const chosen = typeof ref === "string" ? { [isRevision ? "rev" : "ref"]: ref } : {};
  return createSpec({ type, owner: match[1]!, repo: match[2]!, ...chosen, ...defined(source) }, { flake, config, overlays, substituters, trustedPublicKeys });
}

function createSpec(source: Record<string, string | number | boolean>, options: { readonly [K in keyof Required<InputOptions>]: InputOptions[K] }): InputSpec {
  return Object.freeze({ kind: "input-spec", source: Object.freeze(source), options: Object.freeze(defined(options)) });
}

/** Without what is undefined. */
export function defined<T extends object>(value: T): { [K in keyof T]-?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as { [K in keyof T]-?: Exclude<T[K], undefined> };
}

function checkText(what: string, name: string, value: unknown): void {
  if (typeof value !== "string" || value === "") throw new TsosError({ code: "input.bad-spec", message: `${what} needs its ${name} as a string, got ${value === "" ? "an empty one" : typeof value}` });
}
