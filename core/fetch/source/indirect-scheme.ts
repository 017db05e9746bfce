import { TsosError } from "../../error/tsos-error.ts";
import { findText, getText, sortAttributes } from "./attributes.ts";
import { isLegalRefName, REVISION } from "./ref-name.ts";
import type { SourceScheme } from "./scheme.ts";
import { formatSourceUrl } from "./source-url.ts";

const ID = /^[a-zA-Z][a-zA-Z0-9_-]*$/;

/** A name that a registry says the source of: `flake:nixpkgs`, `flake:nixpkgs/BRANCH/REVISION`. */
export const indirectScheme: SourceScheme = {
  type: "indirect",
  allowed: new Set(["id", "ref", "rev", "narHash"]),
  fromUrl(url) {
    if (url.scheme !== "flake") return undefined;
    const shown = formatSourceUrl(url);
    const [id = "", second, third, ...more] = url.path.split("/").filter((part) => part !== "");
    if (more.length > 0) throw bad(`GitHub URL '${shown}' is invalid`);
    let [ref, rev]: (string | undefined)[] = [undefined, undefined];
    if (second !== undefined && third === undefined) {
      if (REVISION.test(second)) rev = second;
      else if (isLegalRefName(second)) ref = second;
      else throw bad(`in flake URL '${shown}', '${second}' is not a commit hash or branch/tag name`);
    } else if (second !== undefined && third !== undefined) {
      if (!isLegalRefName(second)) throw bad(`in flake URL '${shown}', '${second}' is not a branch/tag name`);
      if (!REVISION.test(third)) throw bad(`in flake URL '${shown}', '${third}' is not a commit hash`);
      [ref, rev] = [second, third];
    }
    return indirectScheme.check(sortAttributes({ type: "indirect", id, ref, rev }));
  },
  check(attributes) {
    const id = getText(attributes, "id");
    if (!ID.test(id)) throw bad(`'${id}' is not a valid flake ID`);
    return attributes;
  },
  toUrl(attributes) {
    const parts = [getText(attributes, "id"), findText(attributes, "ref"), findText(attributes, "rev")];
    return { scheme: "flake", path: parts.filter((part) => part !== undefined).join("/"), query: {} };
  },
  isLocked: () => false,
  override: (attributes, ref, rev) => sortAttributes({ ...attributes, ...(rev === undefined ? {} : { rev }), ...(ref === undefined ? {} : { ref }) }),
  fetch: (attributes) => Promise.reject(new TsosError({ code: "source.indirect", message: `indirect input '${formatSourceUrl(indirectScheme.toUrl(attributes))}' cannot be fetched directly` })),
};

function bad(message: string): TsosError {
  return new TsosError({ code: "source.bad-url", message });
}
