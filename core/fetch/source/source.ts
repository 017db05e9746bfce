import { TsosError } from "../../error/tsos-error.ts";
import { parseHash, formatHash } from "../../hash/hash.ts";
import { findNearestName } from "../../util/suggest.ts";
import { findNumber, findText, sortAttributes, type SourceAttributes } from "./attributes.ts";
import { fileScheme, tarballScheme } from "./curl-schemes.ts";
import { githubScheme, gitlabScheme, sourcehutScheme } from "./forge-schemes.ts";
import { gitScheme } from "./git-scheme.ts";
import { hgScheme } from "./hg-scheme.ts";
import { indirectScheme } from "./indirect-scheme.ts";
import { pathScheme } from "./path-scheme.ts";
import type { SourceScheme } from "./scheme.ts";
import { formatSourceUrl, hidePassword, parseSourceUrl, splitUrlScheme, type SourceUrl } from "./source-url.ts";

/** In the order in which a URL is offered to them. */
const SCHEMES: readonly SourceScheme[] = [fileScheme, gitScheme, githubScheme, gitlabScheme, hgScheme, indirectScheme, pathScheme, sourcehutScheme, tarballScheme];

/** @throws TsosError `source.unknown-type` */
export function getScheme(attributes: SourceAttributes): SourceScheme {
  const type = findText(attributes, "type");
  if (type === undefined) throw new TsosError({ code: "source.bad-attribute", message: "'type' attribute to specify input scheme is required but not provided" });
  const scheme = SCHEMES.find((one) => one.type === type);
  if (scheme !== undefined) return scheme;
  const near = findNearestName(type, SCHEMES.map((one) => one.type));
  throw new TsosError({
    code: "source.unknown-type",
    message: `cannot show unsupported input '${JSON.stringify(sortAttributes(attributes))}'`,
    hint: near === undefined ? `the types are ${SCHEMES.map((one) => one.type).join(", ")}` : `did you mean '${near}'?`,
    data: { type },
  });
}

/**
 * The attributes of a source's URL. With `requireTree` a plain `https:` URL is an archive whatever it ends with; else
 * it may be a file.
 *
 * @throws TsosError `source.*`
 * @example
 * parseSource("github:owner/repo/main") // { type: "github", owner: "owner", repo: "repo", ref: "main" }
 */
export function parseSource(url: string | SourceUrl, requireTree = true): SourceAttributes {
  const parsed = typeof url === "string" ? parseSourceUrl(url) : url;
  for (const scheme of SCHEMES) {
    const attributes = scheme.fromUrl(parsed, requireTree);
    if (attributes !== undefined) return checkCommon(attributes);
  }
  const shown = hidePassword(formatSourceUrl(parsed));
  const { application, transport } = splitUrlScheme(parsed.scheme);
  if (application === "file" && transport === "git") throw unsupported(`input '${shown}' is unsupported; did you mean 'git+file' instead of 'file+git'?`);
  throw unsupported(`input '${shown}' is unsupported`);
}

function unsupported(message: string): TsosError {
  return new TsosError({ code: "source.unsupported-url", message, hint: "the forms are github:OWNER/REPO, gitlab:…, sourcehut:…, git+https://…, git+ssh://…, git+file:///…, hg+https://…, https://….tar.gz, tarball+https://…, path:/…" });
}

/** Attributes as a person wrote them, checked and made regular. @throws TsosError `source.*` */
export function checkSource(attributes: SourceAttributes): SourceAttributes {
  const scheme = getScheme(attributes);
  for (const name of Object.keys(attributes)) {
    if (name === "type" || scheme.allowed.has(name)) continue;
    const near = findNearestName(name, [...scheme.allowed]);
    throw new TsosError({ code: "source.bad-attribute", message: `input attribute '${name}' not supported by scheme '${scheme.type}'`, hint: near === undefined ? undefined : `did you mean '${near}'?`, data: { name } });
  }
  return checkCommon(scheme.check(attributes));
}

function checkCommon(attributes: SourceAttributes): SourceAttributes {
  findText(attributes, "ref");
  findNumber(attributes, "revCount");
  findNumber(attributes, "lastModified");
  const narHash = findText(attributes, "narHash");
  return sortAttributes(narHash === undefined ? attributes : { ...attributes, narHash: formatHash(parseHash(narHash, "sha256"), "sri") });
}

/** A source as the URL of a person's hand; without a password that it may carry. */
export function formatSource(attributes: SourceAttributes): string {
  return formatSourceUrl(getScheme(attributes).toUrl(attributes));
}

/** Whether it names one tree, and will for ever. */
export function isLockedSource(attributes: SourceAttributes): boolean {
  return getScheme(attributes).isLocked(attributes);
}
