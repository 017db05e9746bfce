import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { toByteString } from "../../util/bytes.ts";
import { unreachable } from "../../util/unreachable.ts";
import type { BuiltinBuilder } from "../builtin-builder.ts";
import { isRecord, jsonArgument, outputPath } from "./builtin-arguments.ts";
import type { Shape } from "./builtin-arguments.ts";
import { parseTreePath } from "./tree/tree-path.ts";

type Entry =
  | { readonly kind: "file"; readonly path: string; readonly contents: string; readonly executable?: boolean }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "directory"; readonly path: string };

const entries: Shape<readonly Entry[]> = {
  name: `a list of { path, kind: "file" | "symlink" | "directory", contents?, executable?, target? }`,
  test: (value): value is readonly Entry[] => Array.isArray(value) && value.every(isEntry),
};

function isEntry(value: unknown): value is Entry {
  if (!isRecord(value) || typeof value["path"] !== "string") return false;
  switch (value["kind"]) {
    case "file":
      return typeof value["contents"] === "string" && ["undefined", "boolean"].includes(typeof value["executable"]);
    case "symlink":
      return typeof value["target"] === "string";
    default:
      return value["kind"] === "directory";
  }
}

/**
 * `entries`, a JSON list of `{ path, kind: "file" | "symlink" | "directory", contents?, executable?, target? }` →
 * a tree of them, the folders above each made as well. One entry whose path is "" is the output itself.
 */
export const writeTree: BuiltinBuilder = async (context) => {
  const out = outputPath(context);
  const list = jsonArgument(context, "entries", entries, []);
  const seen = new Set<string>();
  if (!list.some(({ path }) => path === "")) await mkdir(out);
  for (const entry of list) {
    const path = parseTreePath(toByteString(entry.path)) === "" ? "" : entry.path;
    if (seen.has(path) || (path === "" && list.length > 1)) {
      throw new TsosError({ code: "builtin.bad-argument", message: `"${path}" is more than once in the entries of "${context.derivation.name}"`, data: { path } });
    }
    seen.add(path);
    const place = path === "" ? out : join(out, path);
    if (path !== "") await mkdir(dirname(place), { recursive: true });
    switch (entry.kind) {
      case "file":
        await writeFile(place, entry.contents, { mode: entry.executable === true ? 0o755 : 0o644, flag: "wx" });
        break;
      case "symlink":
        await symlink(entry.target, place);
        break;
      case "directory":
        await mkdir(place, { recursive: true });
        break;
      default:
        unreachable(entry);
    }
  }
};
