import { TsosError } from "../../error/tsos-error.ts";
import { findFlag, findNumber, findText, getText, sortAttributes, withoutAttributes, type SourceAttributes } from "./attributes.ts";
import { fetchCommit } from "./fetch-commit.ts";
import { fetchWorkTree } from "./fetch-work-tree.ts";
import { findGitPlace, fixGitUrl } from "./git-place.ts";
import { isLegalRefName } from "./ref-name.ts";
import type { SourceScheme } from "./scheme.ts";
import { formatSourceUrl, hidePassword, parseSourceUrl, splitUrlScheme } from "./source-url.ts";

const FLAGS = ["shallow", "submodules", "lfs", "exportIgnore", "allRefs", "verifyCommit"] as const;
const TEXTS = ["rev", "ref", "keytype", "publicKey", "publicKeys"] as const;
const VERIFYING = ["verifyCommit", "keytype", "publicKey", "publicKeys"];

/** A git repository: `git+https://…`, `git+ssh://…`, `git+file:///…`, the working tree of a local one included. */
export const gitScheme: SourceScheme = {
  type: "git",
  allowed: new Set(["url", ...FLAGS, ...TEXTS, "lastModified", "revCount", "narHash", "name", "dirtyRev", "dirtyShortRev"]),
  fromUrl(url) {
    if (url.scheme !== "git" && splitUrlScheme(url.scheme).application !== "git") return undefined;
    const attributes: Record<string, string | boolean> = { type: "git" };
    const query: Record<string, string> = {};
    for (const [name, value] of Object.entries(url.query)) {
      if (TEXTS.some((known) => known === name)) attributes[name] = value;
      else if (FLAGS.some((known) => known === name)) attributes[name] = value === "1";
      else query[name] = value;
    }
    attributes["url"] = formatSourceUrl({ ...url, query, fragment: undefined });
    return gitScheme.check(attributes);
  },
  check(attributes) {
    for (const name of VERIFYING) {
      if (attributes[name] !== undefined) throw new TsosError({ code: "source.unsupported", message: "experimental Nix feature 'verified-fetches' is disabled; add '--extra-experimental-features verified-fetches' to enable it", hint: `tsos does not verify signatures of commits: leave "${name}" out`, data: { attribute: name } });
    }
    const ref = findText(attributes, "ref");
    if (ref !== undefined && !isLegalRefName(ref)) throw bad(`invalid Git branch/tag name '${ref}'`);
    for (const name of FLAGS) findFlag(attributes, name);
    return sortAttributes({ ...attributes, url: fixGitUrl(getText(attributes, "url")) });
  },
  toUrl(attributes) {
    const url = parseSourceUrl(getText(attributes, "url"));
    const query = { ...url.query };
    for (const name of ["rev", "ref"]) if (attributes[name] !== undefined) query[name] = String(attributes[name]);
    for (const name of ["shallow", "lfs", "submodules", "exportIgnore"]) if (attributes[name] === true) query[name] = "1";
    return { ...url, scheme: url.scheme === "git" ? "git" : `git+${url.scheme}`, query };
  },
  isLocked: (attributes) => attributes["rev"] !== undefined && !/^0+$/.test(String(attributes["rev"])),
  override(attributes, ref, rev) {
    const result = sortAttributes({ ...attributes, ...(rev === undefined ? {} : { rev }), ...(ref === undefined ? {} : { ref }) });
    if (result["ref"] === undefined && result["rev"] !== undefined) throw bad(`Git input '${formatSourceUrl(gitScheme.toUrl(result))}' has a commit hash but no branch/tag name`);
    return result;
  },
  async fetch(attributes, context) {
    if (findFlag(attributes, "lfs") === true) throw new TsosError({ code: "source.unsupported", message: "git's large files (lfs) are not fetched", hint: "fetch the large files themselves with pkgs.fetchurl" });
    if (findFlag(attributes, "exportIgnore") === true && findFlag(attributes, "submodules") === true) throw bad("exportIgnore and submodules are not supported together yet");
    const rev = findRevision(attributes);
    const place = findGitPlace(getText(attributes, "url"));
    const options = {
      ref: findText(attributes, "ref"),
      rev,
      shallow: findFlag(attributes, "shallow") === true,
      allRefs: findFlag(attributes, "allRefs") === true,
      submodules: findFlag(attributes, "submodules") === true,
      exportIgnore: findFlag(attributes, "exportIgnore") === true,
      lastModified: findNumber(attributes, "lastModified"),
      revCount: findNumber(attributes, "revCount"),
    };
    const result = place.kind === "local" && options.ref === undefined && rev === undefined ? await fetchWorkTree(place.path, options, context) : await fetchCommit(place, options, context);
    return { root: result.root, narHash: result.narHash, attributes: sortAttributes({ ...withoutAttributes(attributes, "ref", "rev"), ...result.found }) };
  },
};

/** @throws TsosError for a revision that is no hash of git */
function findRevision(attributes: SourceAttributes): string | undefined {
  const rev = findText(attributes, "rev");
  if (rev === undefined) return undefined;
  const algorithm = rev.length === 64 ? "sha256" : "sha1";
  if (!/^[0-9a-fA-F]+$/.test(rev) || (rev.length !== 40 && rev.length !== 64)) throw bad(`hash '${rev}' has wrong length for hash algorithm '${algorithm}'`);
  return rev.toLowerCase();
}

function bad(message: string): TsosError {
  return new TsosError({ code: "source.bad-input", message: hidePassword(message) });
}
