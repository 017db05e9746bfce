import { mkdir, symlink, writeFile } from "node:fs/promises";
import { TsosError } from "../../error/tsos-error.ts";
import { encodeUtf8, toByteString } from "../../util/bytes.ts";
import { unreachable } from "../../util/unreachable.ts";
import type { BuiltinBuilder } from "../builtin-builder.ts";
import { isRecord, jsonArgument, outputPath } from "./builtin-arguments.ts";
import type { Shape } from "./builtin-arguments.ts";
import { parseTreePath } from "../../fetch/archive/tree-path.ts";
import { TreeWriter } from "../../fetch/archive/tree-writer.ts";

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
 *
 * @throws TsosError `archive.conflict` for an entry that is there twice, or lies behind a file or a link
 */
export const writeTree: BuiltinBuilder = async (context) => {
  const out = outputPath(context);
  const list = jsonArgument(context, "entries", entries, []).map((entry) => ({ ...entry, path: parseTreePath(toByteString(entry.path)) }));
  const whole = list.find(({ path }) => path === "");
  if (whole === undefined) {
    const writer = new TreeWriter(out);
    for (const entry of list) writeEntry(writer, entry);
  } else if (list.length > 1) {
    throw new TsosError({
      code: "builtin.bad-argument",
      message: `the entry "" of "${context.derivation.name}" is the whole output, but there are ${list.length - 1} more`,
    });
  } else await writeWhole(out, whole);
};

function writeEntry(writer: TreeWriter, entry: Entry): void {
  switch (entry.kind) {
    case "file": {
      const sink = writer.file(entry.path, entry.executable === true);
      try {
        sink.write(encodeUtf8(entry.contents));
      } finally {
        sink.end();
      }
      return;
    }
    case "symlink":
      writer.symlink(entry.path, toByteString(entry.target), { anywhere: true });
      return;
    case "directory":
      writer.directory(entry.path);
      return;
    default:
      unreachable(entry);
  }
}

async function writeWhole(out: string, entry: Entry): Promise<void> {
  switch (entry.kind) {
    case "file":
      await writeFile(out, entry.contents, { mode: entry.executable === true ? 0o755 : 0o644, flag: "wx" });
      return;
    case "symlink":
      await symlink(entry.target, out);
      return;
    case "directory":
      await mkdir(out);
      return;
    default:
      unreachable(entry);
  }
}
