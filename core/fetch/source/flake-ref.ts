import { existsSync, lstatSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { findText, sortAttributes, withoutAttributes, type SourceAttributes } from "./attributes.ts";
import { checkSource, getScheme, parseSource } from "./source.ts";
import { formatSourceUrl, parseQuery, parseSourceUrl, type SourceUrl } from "./source-url.ts";

export type FlakeRefParseOptions = {
  /** What paths are relative to; without one only absolute paths are known. */
  readonly folder?: string | undefined;
  /** A relative path stays one: for who knows the tree that it is in. */
  readonly keepRelative?: boolean | undefined;
  /** A folder without a `flake.nix` will do. */
  readonly allowMissing?: boolean | undefined;
};

const FLAKE_ID = /^[a-zA-Z][a-zA-Z0-9_-]*(?:\/[a-zA-Z0-9@][a-zA-Z0-9_.\/@+-]*)?$/;

/**
 * A reference to a flake: `nixpkgs/BRANCH` (a name of a registry), a URL, or a path. The result are the attributes of its
 * source, with `dir` for one that is not at the top of its tree.
 *
 * @throws TsosError `source.*`
 */
export function parseFlakeRef(text: string, options: FlakeRefParseOptions = {}): SourceAttributes {
  const { ref, fragment } = parseFlakeRefWithFragment(text, options);
  if (fragment !== "") throw bad(`unexpected fragment '${fragment}' in flake reference '${text}'`);
  return ref;
}

/** The same with what follows `#`: an attribute of the flake. */
export function parseFlakeRefWithFragment(text: string, options: FlakeRefParseOptions = {}): { readonly ref: SourceAttributes; readonly fragment: string } {
  const hash = text.indexOf("#");
  const plain = hash < 0 ? text : text.slice(0, hash);
  const fragment = hash < 0 ? "" : decodeURIComponent(text.slice(hash + 1));
  if (FLAKE_ID.test(plain)) return { ref: parseSource(`flake:${plain}`), fragment };
  const ref = findUrlRef(plain, options);
  return { ref: ref ?? parsePathRef(plain, options), fragment };
}

/** Undefined for what is no URL, and so may be a path. */
function findUrlRef(text: string, options: FlakeRefParseOptions): SourceAttributes | undefined {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) return undefined;
  try {
    return parseUrlRef(parseSourceUrl(text), options);
  } catch (error) {
    if (error instanceof TsosError && error.code === "source.bad-url") return undefined;
    throw error;
  }
}

function parseUrlRef(url: SourceUrl, options: FlakeRefParseOptions): SourceAttributes {
  const isPath = url.scheme === "path" || url.scheme === "git+file";
  const path = options.folder !== undefined && isPath && !isAbsolute(url.path) ? resolve(options.folder, url.path) : undefined;
  return fromUrl(path === undefined ? url : { ...url, path, segments: undefined });
}

function fromUrl(url: SourceUrl): SourceAttributes {
  const { dir, ...query } = url.query;
  const source = parseSource({ ...url, query, fragment: undefined }, true);
  return dir === undefined || dir === "" ? source : sortAttributes({ ...source, dir });
}

/** A path of this machine: of the git repository that it is in, if it is in one. */
function parsePathRef(text: string, { folder, keepRelative, allowMissing }: FlakeRefParseOptions): SourceAttributes {
  const [plain = "", queryText] = text.split("?", 2);
  const query = queryText === undefined ? {} : parseQuery(queryText);
  if (folder === undefined) {
    if (keepRelative !== true && !isAbsolute(plain)) throw bad(`flake reference '${text}' is not an absolute path`);
    return fromUrl({ scheme: "path", path: plain, query });
  }
  let path = resolve(folder, plain);
  if (!existsSync(path)) throw bad(`path '${path}' does not exist`);
  path = realpathSync(path);
  const stats = lstatSync(path);
  if (!stats.isDirectory()) {
    if (basename(path) !== "flake.nix") throw bad(`path '${path}' is not a flake (because it's not a directory)`);
    path = dirname(path);
  }
  if (allowMissing !== true) {
    for (;;) {
      if (existsSync(join(path, "flake.nix"))) break;
      if (existsSync(join(path, ".git"))) throw bad(`path '${path}' is not part of a flake (neither it nor its parent directories contain a 'flake.nix' file)`);
      if (dirname(path) === path) throw bad("could not find a flake.nix file");
      path = dirname(path);
    }
  }
  let dir = "";
  for (let root = path; dirname(root) !== root; root = dirname(root)) {
    if (existsSync(join(root, ".git"))) {
      if (dir !== "" && query["dir"] !== undefined) throw bad(`flake URL '${text}' has an inconsistent 'dir' parameter`);
      const shallow: Record<string, string> = existsSync(join(root, ".git", "shallow")) ? { shallow: "1" } : {};
      return fromUrl({ scheme: "git+file", authority: "", path: root, query: { ...query, ...(dir === "" ? {} : { dir }), ...shallow } });
    }
    dir = dir === "" ? basename(root) : `${basename(root)}/${dir}`;
  }
  return fromUrl({ scheme: "path", path, query });
}

/** The reference's URL, with `dir` in its query. */
export function formatFlakeRef(attributes: SourceAttributes): string {
  const dir = findText(attributes, "dir");
  const source = checkSource(withoutAttributes(attributes, "dir"));
  const url = getScheme(source).toUrl(source);
  return formatSourceUrl(dir === undefined || dir === "" ? url : { ...url, query: { ...url.query, dir } });
}

function bad(message: string): TsosError {
  return new TsosError({ code: "source.bad-url", message });
}
