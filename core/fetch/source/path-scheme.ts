import { lstatSync, readdirSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { toFsPath } from "../../nar/fs-path.ts";
import { toByteString, type ByteString } from "../../util/bytes.ts";
import { findNumber, getText, sortAttributes, withoutAttributes } from "./attributes.ts";
import { copyTree } from "./copy-tree.ts";
import { refuseOverride, type SourceScheme } from "./scheme.ts";
import { formatSourceUrl } from "./source-url.ts";

/** A folder of this machine, as it is: `path:/srv/site`. */
export const pathScheme: SourceScheme = {
  type: "path",
  allowed: new Set(["path", "rev", "revCount", "lastModified", "narHash"]),
  fromUrl(url) {
    if (url.scheme !== "path") return undefined;
    const shown = formatSourceUrl(url);
    if (url.authority !== undefined && url.authority !== "") throw bad(`path URL '${shown}' should not have an authority ('${url.authority}')`);
    const attributes: Record<string, string | number> = { type: "path", path: url.path };
    for (const [name, value] of Object.entries(url.query)) {
      if (name === "rev" || name === "narHash") attributes[name] = value;
      else if (name === "revCount" || name === "lastModified") {
        if (!/^\d+$/.test(value)) throw bad(`path URL '${shown}' has invalid parameter '${name}'`);
        attributes[name] = Number(value);
      } else throw bad(`path URL '${shown}' has unsupported parameter '${name}'`);
    }
    return attributes;
  },
  check(attributes) {
    getText(attributes, "path");
    return attributes;
  },
  toUrl(attributes) {
    const query = Object.entries(withoutAttributes(attributes, "type", "path")).map(([name, value]) => [name, String(value)] as const);
    return { scheme: "path", path: getText(attributes, "path"), query: Object.fromEntries(query) };
  },
  isLocked: (attributes) => attributes["narHash"] !== undefined,
  override: (attributes, ref, rev) => refuseOverride(attributes, ref, rev, bad),
  async fetch(attributes, context) {
    const path = getText(attributes, "path");
    if (!isAbsolute(path)) throw bad(`cannot fetch input '${formatSourceUrl(pathScheme.toUrl(attributes))}' because it uses a relative path`);
    const absolute = resolve(path);
    if (lstatSync(absolute, { throwIfNoEntry: false }) === undefined) {
      throw new TsosError({ code: "source.missing-path", message: `path '${absolute}' does not exist`, data: { path: absolute } });
    }
    const added = await context.cache.addTree(async (target) => {
      await copyTree(absolute, target, context.signal);
      return target;
    }, context.signal);
    const lastModified = findNumber(attributes, "lastModified") ?? newestTime(absolute);
    return { ...added, attributes: sortAttributes({ ...attributes, lastModified }) };
  },
};

/** The latest time at which anything below was modified, in seconds. */
function newestTime(path: string): number {
  let newest = 0;
  const visit = (at: ByteString): void => {
    const stats = lstatSync(toFsPath(at));
    newest = Math.max(newest, Math.floor(stats.mtimeMs / 1000));
    if (stats.isDirectory()) for (const name of readdirSync(toFsPath(at), "latin1")) visit(`${at}/${name}`);
  };
  visit(toByteString(path));
  return newest;
}

function bad(message: string): TsosError {
  return new TsosError({ code: "source.bad-input", message });
}
