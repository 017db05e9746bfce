import { TsosError } from "../../error/tsos-error.ts";
import { compareUtf8 } from "../../util/ordering.ts";

/** The URL of a source in its parts, decoded. `path` is what stands between authority and query. */
export type SourceUrl = {
  /** `git+https`, `github`, `path`, … */
  readonly scheme: string;
  /** `user@host:port`, as it stands there; undefined where there is no `//`. */
  readonly authority?: string | undefined;
  readonly path: string;
  /** The path's parts, where one of them may itself hold a slash (written `%2F`). */
  readonly segments?: readonly string[] | undefined;
  readonly query: Readonly<Record<string, string>>;
  readonly fragment?: string | undefined;
};

// Nix: libutil/url.cc. Blanks and a few other signs are taken unescaped in queries and fragments.
const URL_FORM = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
const BAD_IN_PATH = /[\s"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})/;
const BAD_IN_AUTHORITY = /[\s"<>\\^`{|}/]/;

/** @throws TsosError `source.bad-url` */
export function parseSourceUrl(text: string): SourceUrl {
  const match = URL_FORM.exec(text);
  if (match === null) throw badUrl(text);
  const [, scheme = "", authority, path = "", query, fragment] = match;
  if (BAD_IN_PATH.test(path) || (authority !== undefined && BAD_IN_AUTHORITY.test(authority))) throw badUrl(text);
  if (authority !== undefined && !/^(?:[^@]*@)?(?:\[[0-9A-Fa-f:.%]*\]|[^:@[\]]*)(?::\d*)?$/.test(authority)) throw badUrl(text);
  const segments = path.split("/").map((part) => decode(part, text));
  return { scheme, authority, path: segments.join("/"), segments, query: query === undefined ? {} : parseQuery(query, text), fragment: fragment === undefined ? undefined : decode(fragment, text) };
}

/** `a=1&b=2`; what has no `=` is left out, and of two of one name the first counts. */
export function parseQuery(query: string, url = query): Readonly<Record<string, string>> {
  const result: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const part of query.split("&")) {
    const equals = part.indexOf("=");
    if (equals < 0) continue;
    const name = decode(part.slice(0, equals), url);
    if (!(name in result)) result[name] = decode(part.slice(equals + 1), url);
  }
  return { ...result };
}

/** With the query's names in order. */
export function formatSourceUrl(url: SourceUrl): string {
  const authority = url.authority === undefined ? "" : `//${url.authority}`;
  const query = formatQuery(url.query);
  const fragment = url.fragment === undefined || url.fragment === "" ? "" : `#${encode(url.fragment, "")}`;
  const path = (url.segments ?? url.path.split("/")).map((part) => encode(part, ":@")).join("/");
  return `${url.scheme}:${authority}${path}${query === "" ? "" : `?${query}`}${fragment}`;
}

export function formatQuery(query: Readonly<Record<string, string>>): string {
  return Object.keys(query)
    .sort(compareUtf8)
    .map((name) => `${encode(name, ":@/?")}=${encode(query[name]!, ":@/?")}`)
    .join("&");
}

/** `git+https` is the transport `https` for the application `git`. */
export function splitUrlScheme(scheme: string): { readonly application?: string; readonly transport: string } {
  const plus = scheme.indexOf("+");
  return plus < 0 ? { transport: scheme } : { application: scheme.slice(0, plus), transport: scheme.slice(plus + 1) };
}

/** Everything but letters, digits, `-._~` and `keep` as `%XX` of its UTF-8 bytes. */
function encode(text: string, keep: string): string {
  return text.replace(/[^A-Za-z0-9\-._~]/gu, (sign) =>
    keep.includes(sign) ? sign : [...Buffer.from(sign)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}

function decode(text: string, url: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl(url);
  }
}

function badUrl(text: string): TsosError {
  return new TsosError({ code: "source.bad-url", message: `'${hidePassword(text)}' is not a valid URL`, data: { url: hidePassword(text) } });
}

/** For messages, logs and lock files: a URL without the password that it may carry. */
export function hidePassword(url: string): string {
  return url.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/\/)([^/?#@]*)@/, (_, scheme: string, user: string) => `${scheme}${user.split(":")[0]}@`);
}
