import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { TsosError } from "../../error/tsos-error.ts";
import { parseHash } from "../../hash/hash.ts";
import { findText, getText, sortAttributes, withoutAttributes } from "./attributes.ts";
import { findAccessToken } from "./credentials.ts";
import { downloadArchive } from "./curl-schemes.ts";
import { downloadFile } from "./download.ts";
import { isLegalRefName, REVISION } from "./ref-name.ts";
import type { SourceContext, SourceScheme } from "./scheme.ts";
import { formatSourceUrl, type SourceUrl } from "./source-url.ts";

type Headers = Readonly<Record<string, string>>;
type Repository = { readonly host: string; readonly owner: string; readonly repo: string };

/** How one kind of forge is asked. */
type Forge = {
  readonly type: string;
  readonly host: string;
  /** Where servers of the default host are; settings may name mirrors of them. */
  tokenHeaders(token: string): Headers;
  findRevision(repository: Repository, ref: string, context: SourceContext, headers: Headers): Promise<string>;
  archiveUrl(repository: Repository, rev: string, context: SourceContext, headers: Headers): string;
};

/**
 * The base URL of a server. `mirrors` of the settings may put another in the place of a forge's own, by the names
 * `github`, `github-api`, `gitlab` and `sourcehut`.
 */
function base(context: SourceContext, name: string, url: string): string {
  return context.settings.mirrors[name]?.[0] ?? url;
}

const github: Forge = {
  type: "github",
  host: "github.com",
  tokenHeaders: (token) => ({ Authorization: `token ${token}` }),
  async findRevision({ host, owner, repo }, ref, context, headers) {
    const api = host === github.host ? `${base(context, "github-api", "https://api.github.com")}/repos` : `https://${host}/api/v3/repos`;
    const answer = await fetchJson(`${api}/${owner}/${repo}/commits/${ref}`, headers, context);
    return checkRevision(answer !== null && typeof answer === "object" && "sha" in answer ? answer.sha : undefined, "GitHub");
  },
  archiveUrl({ host, owner, repo }, rev, context, headers) {
    if (host !== github.host) return `https://${host}/api/v3/repos/${owner}/${repo}/tarball/${rev}`;
    // The public archives count towards no limit.
    if (Object.keys(headers).length === 0) return `${base(context, "github", "https://github.com")}/${owner}/${repo}/archive/${rev}.tar.gz`;
    return `${base(context, "github-api", "https://api.github.com")}/repos/${owner}/${repo}/tarball/${rev}`;
  },
};

const gitlab: Forge = {
  type: "gitlab",
  host: "gitlab.com",
  tokenHeaders(token): Headers {
    const colon = token.indexOf(":");
    const [kind, value] = colon < 0 ? [token, token] : [token.slice(0, colon), token.slice(colon + 1)];
    return kind === "OAuth2" ? { Authorization: `Bearer ${value}` } : kind === "PAT" ? { "Private-token": value } : { [kind]: value };
  },
  async findRevision({ host, owner, repo }, ref, context, headers) {
    const server = host === gitlab.host ? base(context, "gitlab", `https://${host}`) : `https://${host}`;
    const answer = await fetchJson(`${server}/api/v4/projects/${owner}%2F${repo}/repository/commits?ref_name=${ref}`, headers, context);
    if (Array.isArray(answer) && answer.length === 0) {
      throw new TsosError({ code: "source.unknown-ref", message: "No commits returned by GitLab API -- does the git ref really exist?", data: { ref } });
    }
    const [first] = Array.isArray(answer) ? (answer as readonly unknown[]) : [];
    return checkRevision(first !== null && typeof first === "object" && "id" in first ? first.id : undefined, "GitLab");
  },
  archiveUrl({ host, owner, repo }, rev, context) {
    const server = host === gitlab.host ? base(context, "gitlab", `https://${host}`) : `https://${host}`;
    return `${server}/api/v4/projects/${owner}%2F${repo}/repository/archive.tar.gz?sha=${rev}`;
  },
};

const sourcehut: Forge = {
  type: "sourcehut",
  host: "git.sr.ht",
  tokenHeaders: (token) => ({ Authorization: `Bearer ${token}` }),
  async findRevision({ host, owner, repo }, ref, context, headers) {
    const url = `${host === sourcehut.host ? base(context, "sourcehut", `https://${host}`) : `https://${host}`}/${owner}/${repo}`;
    let wanted = new Set([`refs/heads/${ref}`, `refs/tags/${ref}`]);
    if (ref === "HEAD") {
      const head = /^(?:ref: )?(\S+)/.exec(await fetchText(`${url}/HEAD`, headers, context))?.[1];
      if (head === undefined) throw unknownRef(`${owner}/${repo}`, ref);
      wanted = new Set([head]);
    }
    for (const line of (await fetchText(`${url}/info/refs`, headers, context)).split("\n")) {
      const [rev, name] = line.split(/\s+/);
      if (name !== undefined && wanted.has(name)) return checkRevision(rev, "SourceHut");
    }
    throw unknownRef(`${owner}/${repo}`, ref);
  },
  archiveUrl({ host, owner, repo }, rev, context) {
    return `${host === sourcehut.host ? base(context, "sourcehut", `https://${host}`) : `https://${host}`}/${owner}/${repo}/archive/${rev}.tar.gz`;
  },
};

export const githubScheme = createForgeScheme(github);
export const gitlabScheme = createForgeScheme(gitlab);
export const sourcehutScheme = createForgeScheme(sourcehut);

/** `github:owner/repo`, `github:owner/repo/BRANCH` or `…/REVISION`: an archive of one commit, without git. */
function createForgeScheme(forge: Forge): SourceScheme {
  const scheme: SourceScheme = {
    type: forge.type,
    allowed: new Set(["owner", "repo", "ref", "rev", "narHash", "lastModified", "host", "treeHash"]),
    fromUrl(url) {
      if (url.scheme !== forge.type) return undefined;
      const shown = formatSourceUrl(url);
      // An owner may be a path itself, written with %2F.
      const [owner, repo, ...rest] = (url.segments ?? url.path.split("/")).filter((part) => part !== "");
      if (owner === undefined || repo === undefined) throw bad(`URL '${shown}' is invalid`, `write it as ${forge.type}:OWNER/REPO, or ${forge.type}:OWNER/REPO/BRANCH`);
      const found: Record<string, string> = { type: forge.type, owner, repo };
      if (rest.length === 1 && REVISION.test(rest[0]!)) found["rev"] = rest[0]!;
      else if (rest.length > 0) found["ref"] = rest.join("/");
      for (const [name, value] of Object.entries(url.query)) {
        if (name === "rev" && "rev" in found) throw bad(`URL '${shown}' contains multiple commit hashes`);
        if (name === "ref" && "ref" in found) throw bad(`URL '${shown}' contains multiple branch/tag names`);
        if (!["rev", "ref", "host", "narHash"].includes(name)) throw bad(`URL '${shown}' contains unknown parameter '${name}'`);
        found[name] = value;
      }
      return scheme.check(found);
    },
    check(attributes) {
      getText(attributes, "owner");
      getText(attributes, "repo");
      const [ref, rev, host] = [findText(attributes, "ref"), findText(attributes, "rev"), findText(attributes, "host")];
      const shown = JSON.stringify(sortAttributes(attributes));
      if (ref !== undefined && rev !== undefined) throw bad(`input ${shown} contains both a commit hash ('${rev}') and a branch/tag name ('${ref}')`);
      if (rev !== undefined) parseHash(rev, "sha1");
      if (ref !== undefined && !isLegalRefName(ref)) throw bad(`input ${shown} contains an invalid branch/tag name`);
      if (host !== undefined && !/^[a-zA-Z0-9.-]*$/.test(host)) throw bad(`input ${shown} contains an invalid instance host`);
      return attributes;
    },
    toUrl(attributes): SourceUrl {
      const [ref, rev, host, narHash] = (["ref", "rev", "host", "narHash"] as const).map((name) => findText(attributes, name));
      const segments = [getText(attributes, "owner"), getText(attributes, "repo"), ...(ref === undefined ? [] : [ref]), ...(rev === undefined ? [] : [rev])];
      return { scheme: forge.type, path: segments.join("/"), segments, query: { ...(narHash === undefined ? {} : { narHash }), ...(host === undefined ? {} : { host }) } };
    },
    isLocked: (attributes) => attributes["rev"] !== undefined && attributes["narHash"] !== undefined,
    override(attributes, ref, rev) {
      if (ref !== undefined && rev !== undefined) throw bad(`cannot apply both a commit hash (${rev}) and a branch/tag name ('${ref}') to input '${formatSourceUrl(scheme.toUrl(attributes))}'`);
      if (rev !== undefined) return sortAttributes({ ...withoutAttributes(attributes, "ref"), rev });
      return ref === undefined ? attributes : sortAttributes({ ...withoutAttributes(attributes, "rev"), ref });
    },
    async fetch(attributes, context) {
      const repository = { host: findText(attributes, "host") ?? forge.host, owner: getText(attributes, "owner"), repo: getText(attributes, "repo") };
      const token = findAccessToken(context.settings.accessTokens ?? {}, repository.host, `${repository.owner}/${repository.repo}`);
      const headers = token === undefined ? {} : forge.tokenHeaders(token);
      const escaped = { ...repository, owner: repository.owner.replaceAll("/", "%2F") };
      const rev = (findText(attributes, "rev") ?? (await forge.findRevision(escaped, findText(attributes, "ref") ?? "HEAD", context, headers))).toLowerCase();
      // What a commit is never changes, so once fetched it is not asked for again.
      const key = ["commit-archive", forge.type, repository.host, repository.owner, repository.repo, rev];
      const known = context.cache.findFact<{ readonly narHash: string; readonly lastModified: number }>(key)?.value;
      const knownRoot = known === undefined ? undefined : context.cache.findTree(known.narHash);
      const found = (root: string, narHash: string, lastModified: number) => ({ root, narHash, attributes: sortAttributes({ ...withoutAttributes(attributes, "ref"), rev, lastModified }) });
      if (known !== undefined && knownRoot !== undefined) return found(knownRoot, known.narHash, known.lastModified);
      const { root, fact } = await downloadArchive(forge.archiveUrl(escaped, rev, context, headers), headers, context);
      context.cache.rememberFact(key, { narHash: fact.narHash, lastModified: fact.lastModified }, context.now());
      return found(root, fact.narHash, fact.lastModified);
    },
  };
  return scheme;
}

async function fetchText(url: string, headers: Headers, context: SourceContext): Promise<string> {
  const { cache, settings, now } = context;
  const key = ["answer", url];
  const known = cache.findFact<string>(key);
  if (known !== undefined && (settings.offline === true || (context.refresh !== true && now() - known.time < settings.tarballTtl * 1000))) return known.value;
  const file = join(cache.subfolder("trees"), `.answer-${process.pid}-${randomBytes(6).toString("hex")}`);
  try {
    const answer = await downloadFile(url, file, { headers }, context);
    if (answer.kind === "unchanged") throw new Error("the server answered 304 to a question without a condition");
    const text = await readFile(file, "utf8");
    cache.rememberFact(key, text, now());
    return text;
  } catch (cause) {
    if (cause instanceof TsosError && cause.code === "source.download-failed" && (cause.data["status"] === 404 || cause.data["status"] === 422)) {
      throw new TsosError({ code: "source.unknown-ref", message: `${cause.message}: there is no such repository, branch or tag`, hint: cause.hint, data: cause.data, cause });
    }
    throw cause;
  } finally {
    await rm(file, { force: true });
  }
}

async function fetchJson(url: string, headers: Headers, context: SourceContext): Promise<unknown> {
  const text = await fetchText(url, headers, context);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new TsosError({ code: "source.bad-answer", message: `"${url}" answered with something that is not JSON`, data: { url }, cause });
  }
}

function checkRevision(rev: unknown, forge: string): string {
  if (typeof rev === "string" && REVISION.test(rev)) return rev;
  throw new TsosError({ code: "source.bad-answer", message: `${forge} answered without a commit hash, got ${JSON.stringify(rev) ?? "nothing"}` });
}

function unknownRef(repository: string, ref: string): TsosError {
  return new TsosError({ code: "source.unknown-ref", message: `in '${repository}', couldn't find ref '${ref}'`, data: { repository, ref } });
}

function bad(message: string, hint?: string): TsosError {
  return new TsosError({ code: "source.bad-url", message, hint });
}
