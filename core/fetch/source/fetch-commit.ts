import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { encodeNix32 } from "../../hash/nix32.ts";
import { hashBytes } from "../../hash/hash.ts";
import { encodeUtf8, toByteString } from "../../util/bytes.ts";
import { parseTreePath, type TreePath } from "../archive/tree-path.ts";
import { TreeWriter } from "../archive/tree-writer.ts";
import { writeCommit, type TreeTarget } from "./git-tree.ts";
import { findGitPlace, fixGitUrl, type GitPlace } from "./git-place.ts";
import { runGit, tryGit, type GitRepository } from "./run-git.ts";
import type { SourceContext } from "./scheme.ts";
import { hidePassword } from "./source-url.ts";

export type CommitOptions = {
  readonly ref: string | undefined;
  readonly rev: string | undefined;
  readonly shallow: boolean;
  readonly allRefs: boolean;
  readonly submodules: boolean;
  readonly exportIgnore: boolean;
  readonly lastModified: number | undefined;
  readonly revCount: number | undefined;
};

export type GitResult = {
  readonly root: string;
  readonly narHash: string;
  readonly found: Readonly<Record<string, string | number>>;
};

/** One commit's tree: of a local repository read in place, of another fetched into the cache. */
export async function fetchCommit(place: GitPlace, options: CommitOptions, context: SourceContext): Promise<GitResult> {
  const { repository, ref, rev } = await openCommit(place, options, context);
  const found = {
    ref,
    rev,
    lastModified: options.lastModified ?? (await findLastModified(repository, rev, context)),
    ...(options.shallow ? {} : { revCount: options.revCount ?? (await findRevCount(repository, rev, context, place)) }),
  };
  const key = ["git-tree", rev, options.submodules, options.exportIgnore];
  const known = context.cache.findFact<string>(key)?.value;
  const knownRoot = known === undefined ? undefined : context.cache.findTree(known);
  if (known !== undefined && knownRoot !== undefined) return { root: knownRoot, narHash: known, found };
  const { root, narHash } = await context.cache.addTree(async (target) => {
    const writer = new TreeWriter(target);
    await writeCommit(repository, rev, writer, options.exportIgnore, context);
    if (options.submodules) await writeSubmodules(repository, rev, writer, context, ref);
    return target;
  }, context.signal);
  context.cache.rememberFact(key, narHash, context.now());
  return { root, narHash, found };
}

type OpenCommit = { readonly repository: GitRepository; readonly ref: string; readonly rev: string };

async function openCommit(place: GitPlace, options: CommitOptions, context: SourceContext): Promise<OpenCommit> {
  if (place.kind === "local") {
    const repository = { gitDir: join(place.path, ".git") };
    const ref = options.ref ?? ((await tryGit(repository, ["symbolic-ref", "-q", "HEAD"], context)).output.toString("utf8").trim() || "HEAD");
    const rev = await resolveCommit(repository, options.rev ?? ref, context);
    if (rev === undefined) throw options.rev === undefined ? unknownRef(ref, place.path) : unknownRevision(options.rev, ref, place.path);
    return { repository, ref, rev };
  }
  return openRemote(place.url, options, context);
}

async function openRemote(url: string, options: CommitOptions, context: SourceContext): Promise<OpenCommit> {
  const { cache, settings, now, signal } = context;
  const shown = hidePassword(url);
  const name = encodeNix32(hashBytes("sha256", encodeUtf8(`${shown}\n${options.shallow ? "shallow" : ""}`)).digest);
  using _lock = await cache.lock(`git ${name}`, signal);
  const repository = { gitDir: join(cache.subfolder("git"), name) };
  if (!existsSync(join(repository.gitDir, "HEAD"))) {
    mkdirSync(repository.gitDir, { recursive: true, mode: 0o700 });
    await runGit(undefined, ["init", "--quiet", "--bare", "--initial-branch=main", repository.gitDir], context);
  }
  const ref = options.ref ?? (await findDefaultRef(url, context));
  const full = ref.startsWith("refs/") || ref === "HEAD" ? ref : `refs/heads/${ref}`;
  const local = full === "HEAD" ? "refs/tsos/HEAD" : full;

  if (options.rev !== undefined) {
    const rev = await resolveCommit(repository, options.rev, context);
    if (rev !== undefined) return { repository, ref, rev };
    checkOnline(shown, context);
    // Not every server gives a commit that no branch ends with; then the branch's history has it, or it is not there.
    const wanted = options.allRefs ? ["refs/*:refs/*"] : [options.rev];
    const direct = await fetchRefs(repository, url, wanted, options.shallow, context);
    if (direct.code !== 0 || (await resolveCommit(repository, options.rev, context)) === undefined) {
      const branch = await fetchRefs(repository, url, [`${full}:${local}`], false, context);
      if (branch.code !== 0) throw fetchFailed(shown, branch.errors);
    }
    const fetched = await resolveCommit(repository, options.rev, context);
    if (fetched === undefined) throw unknownRevision(options.rev, ref, shown);
    return { repository, ref, rev: fetched };
  }

  const key = ["git-ref", shown, options.shallow, full];
  const known = cache.findFact<string>(key);
  const knownRev = known === undefined ? undefined : await resolveCommit(repository, known.value, context);
  const isFresh = known !== undefined && !options.allRefs && (settings.offline === true || (context.refresh !== true && now() - known.time < settings.tarballTtl * 1000));
  if (knownRev !== undefined && isFresh) return { repository, ref, rev: knownRev };
  checkOnline(shown, context);
  const fetched = await fetchRefs(repository, url, options.allRefs ? ["refs/*:refs/*"] : [`${full}:${local}`], options.shallow, context);
  if (fetched.code !== 0) {
    if (/couldn't find remote ref|Couldn't find remote ref/.test(fetched.errors)) throw unknownRef(ref, shown);
    if (knownRev === undefined) throw fetchFailed(shown, fetched.errors);
    context.warn(`could not update local clone of Git repository '${shown}'; continuing with the most recent version`);
    return { repository, ref, rev: knownRev };
  }
  const rev = await resolveCommit(repository, options.allRefs ? full : local, context);
  if (rev === undefined) throw unknownRef(ref, shown);
  cache.rememberFact(key, rev, now());
  return { repository, ref, rev };
}

function fetchRefs(repository: GitRepository, url: string, refs: readonly string[], shallow: boolean, context: SourceContext) {
  return tryGit(repository, ["fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head", ...(shallow ? ["--depth=1"] : []), "--", url, ...refs], context);
}

function checkOnline(url: string, context: SourceContext): void {
  if (context.settings.offline !== true || url.startsWith("file:")) return;
  throw new TsosError({ code: "source.offline", message: `"${url}" was never fetched, and --offline allows no network`, hint: "run the command once without --offline", data: { url } });
}

async function findDefaultRef(url: string, context: SourceContext): Promise<string> {
  const { cache, settings, now } = context;
  const shown = hidePassword(url);
  const key = ["git-head", shown];
  const known = cache.findFact<string>(key);
  if (known !== undefined && (settings.offline === true || (context.refresh !== true && now() - known.time < settings.tarballTtl * 1000))) return known.value;
  checkOnline(shown, context);
  const { code, output, errors } = await tryGit(undefined, ["ls-remote", "--symref", "--", url, "HEAD"], context);
  if (code !== 0) {
    if (known !== undefined) return known.value;
    throw fetchFailed(shown, errors);
  }
  const head = /^ref: (\S+)\tHEAD$/m.exec(output.toString("utf8"))?.[1];
  if (head === undefined) context.warn(`could not read HEAD ref from repo at '${shown}', using 'master'`);
  const ref = head ?? "master";
  cache.rememberFact(key, ref, now());
  return ref;
}

/** The hash of the commit that a name stands for: a branch before a tag. */
export async function resolveCommit(repository: GitRepository, name: string, context: SourceContext): Promise<string | undefined> {
  const candidates = /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(name) || name.startsWith("refs/") || name === "HEAD" ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`, name];
  for (const candidate of candidates) {
    const { code, output } = await tryGit(repository, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${candidate}^{commit}`], context);
    if (code === 0) return output.toString("latin1").trim();
  }
  return undefined;
}

/** A commit's own time, in seconds. */
export async function findLastModified(repository: GitRepository, rev: string, context: SourceContext): Promise<number> {
  return Number((await runGit(repository, ["log", "-1", "--format=%ct", rev], context)).toString("latin1").trim());
}

/** How many commits lead to one; it never changes, and takes long on a long history. */
export async function findRevCount(repository: GitRepository, rev: string, context: SourceContext, place?: GitPlace): Promise<number> {
  const key = ["git-rev-count", rev];
  const known = context.cache.findFact<number>(key)?.value;
  if (known !== undefined) return known;
  if ((await runGit(repository, ["rev-parse", "--is-shallow-repository"], context)).toString("latin1").trim() === "true") {
    const shown = place === undefined ? repository.gitDir : place.kind === "local" ? place.path : hidePassword(place.url);
    throw new TsosError({ code: "source.shallow", message: `'${shown}' is a shallow Git repository, so 'revCount' is not available`, hint: "ask for it with shallow: true" });
  }
  const count = Number((await runGit(repository, ["rev-list", "--count", rev], context)).toString("latin1").trim());
  context.cache.rememberFact(key, count, context.now());
  return count;
}

/** Fetches a commit's submodules, theirs included, and writes each in its place. */
export async function writeSubmodules(repository: GitRepository, rev: string, writer: TreeTarget, context: SourceContext, ref?: string, only?: ReadonlySet<string>): Promise<void> {
  const listed = await tryGit(repository, ["config", "--blob", `${rev}:.gitmodules`, "-z", "--get-regexp", "^submodule\\..*\\.(path|url|branch)$"], context);
  if (listed.code !== 0) return;
  const modules = new Map<string, Record<string, string>>();
  for (const item of listed.output.toString("utf8").split("\0")) {
    const match = /^submodule\.(.*)\.(path|url|branch)\n(.*)$/s.exec(item);
    if (match !== null) modules.set(match[1]!, { ...modules.get(match[1]!), [match[2]!]: match[3]! });
  }
  for (const { path, url, branch } of modules.values()) {
    if (path === undefined || url === undefined || only?.has(path) === false) continue;
    const line = (await runGit(repository, ["ls-tree", "-z", "--full-tree", rev, "--", path], context)).toString("utf8");
    const wanted = /^160000 commit ([0-9a-f]+)\t/.exec(line)?.[1];
    if (wanted === undefined) continue;
    const place = findGitPlace(fixGitUrl(await resolveSubmoduleUrl(repository, url, context)));
    const inner = await openCommit(place, { ref: branch === "." ? ref : branch, rev: wanted, shallow: false, allRefs: true, submodules: true, exportIgnore: false, lastModified: undefined, revCount: undefined }, context);
    const module = below(writer, parseTreePath(toByteString(path)));
    await writeCommit(inner.repository, inner.rev, module, false, context);
    await writeSubmodules(inner.repository, inner.rev, module, context, ref);
  }
}

/** Relative URLs are relative to where the repository itself came from. */
async function resolveSubmoduleUrl(repository: GitRepository, url: string, context: SourceContext): Promise<string> {
  if (!/^\.\.?\//.test(url)) return url;
  const origin = (await tryGit(repository, ["config", "--get", "remote.origin.url"], context)).output.toString("utf8").trim();
  const base = origin === "" ? repository.gitDir.replace(/\/\.git$/, "") : origin;
  const parts = base.replace(/\/+$/, "").split("/");
  for (const part of url.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

/** What writes below a folder of another tree. */
export function below(outer: TreeTarget, folder: TreePath): TreeTarget {
  return {
    directory: (path) => outer.directory(`${folder}/${path}`),
    file: (path, executable) => outer.file(`${folder}/${path}`, executable),
    symlink: (path, target, options) => outer.symlink(`${folder}/${path}`, target, options),
  };
}

function unknownRef(ref: string, repository: string): TsosError {
  return new TsosError({ code: "source.unknown-ref", message: `there is no branch or tag '${ref}' in the Git repository '${repository}'`, data: { ref, repository } });
}

function unknownRevision(rev: string, ref: string, repository: string): TsosError {
  return new TsosError({
    code: "source.unknown-rev",
    message: `Cannot find Git revision '${rev}' in ref '${ref}' of repository '${repository}'! Please make sure that the rev exists on the ref you've specified or add allRefs = true; to fetchGit.`,
    data: { rev, ref, repository },
  });
}

function fetchFailed(url: string, errors: string): TsosError {
  const shown = errors.replace(/[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s'"]+/g, (found) => hidePassword(found));
  return new TsosError({ code: "source.git-failed", message: `cannot fetch the Git repository '${url}': ${shown.split("\n").join("\n  ")}`, data: { url } });
}
