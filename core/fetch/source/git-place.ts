import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { formatSourceUrl, parseSourceUrl, splitUrlScheme } from "./source-url.ts";

/** Where a repository is: a local one with a working tree is read in place, all others are cloned into the cache. */
export type GitPlace = { readonly kind: "local"; readonly path: string } | { readonly kind: "remote"; readonly url: string };

/** @throws TsosError `source.missing-path` for a path where nothing is */
export function findGitPlace(text: string): GitPlace {
  const url = parseSourceUrl(text);
  if (url.scheme !== "file") {
    const { dir: _, ...query } = url.query;
    return { kind: "remote", url: formatSourceUrl({ ...url, query }) };
  }
  const path = resolve(url.path);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) throw new TsosError({ code: "source.missing-path", message: `Git repository "${path}" does not exist.`, data: { path } });
  return existsSync(join(path, ".git")) ? { kind: "local", path } : { kind: "remote", url: `file://${path}` };
}

/** `git@host:path` and plain paths as the URLs that they stand for. Nix: libutil/url.cc, fixGitURL */
export function fixGitUrl(url: string): string {
  if (url.startsWith("/")) return formatSourceUrl({ scheme: "file", authority: "", path: url, query: {} });
  const scp = /^((?:[^/:@]+@)?[^/:]+):(?!\/\/)([^/].*|\/(?!\/).*)$/.exec(url);
  if (scp !== null && !/^[a-z][a-z0-9+.-]*$/i.test(scp[1]!.includes("@") ? "" : scp[1]!)) {
    const [, host = "", path = ""] = scp;
    return formatSourceUrl({ scheme: "ssh", authority: host, path: path.startsWith("/") ? path : `/${path}`, query: {} });
  }
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(url)) return formatSourceUrl({ scheme: "file", authority: "", path: url, query: {} });
  const parsed = parseSourceUrl(url);
  const { application, transport } = splitUrlScheme(parsed.scheme);
  const scheme = application === "git" ? transport : parsed.scheme;
  if (scheme === "file" && parsed.authority === undefined) return formatSourceUrl({ ...parsed, scheme, authority: "" });
  return formatSourceUrl({ ...parsed, scheme });
}
