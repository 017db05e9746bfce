import { readFile } from "node:fs/promises";
import { decompress, detectCompression } from "../../../compression/decompress.ts";
import { TsosError } from "../../../error/tsos-error.ts";
import { bytesToByteString, concatBytes } from "../../../util/bytes.ts";
import type { ByteString } from "../../../util/bytes.ts";
import { readAr } from "./read-ar.ts";
import { readTar } from "../../../fetch/archive/read-tar.ts";
import type { TarEntry, TarSink } from "../../../fetch/archive/read-tar.ts";
import { compileTreeGlobs, parseTreePath, relativeTarget, resolveLink } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";
import { TreeWriter } from "../../../fetch/archive/tree-writer.ts";

export type UnpackDebTask = {
  readonly kind: "unpack-deb";
  readonly source: string;
  readonly target: string;
  /** Globs of paths to leave out. */
  readonly prune: readonly string[];
  /** What the package must say of itself. */
  readonly package?: string | undefined;
  readonly version?: string | undefined;
};

/** What nobody needs to run a package; licences stay. */
export const DEFAULT_PRUNE: readonly string[] = [
  "usr/share/{lintian,locale,bug,reportbug,doc-base,info,menu,gtk-doc,help,apport,linda}",
];

/** Unpacks the data of a Debian package, its top-level `bin`, `sbin` and `lib*` folders moved below `usr`. */
export async function unpackDebArchive(task: UnpackDebTask): Promise<void> {
  const archive = await readFile(task.source);
  const members = readAr(archive);
  const version = members[0];
  if (version?.name !== "debian-binary" || !/^2\.\d+\n/.test(bytesToByteString(archive.subarray(version.start, Math.min(version.end, version.start + 16))))) {
    throw invalid(task.source, "its first member is not debian-binary 2.x");
  }
  const member = (name: string): AsyncIterable<Uint8Array> => {
    const found = members.find((candidate) => candidate.name === name || candidate.name.startsWith(`${name}.`));
    if (found === undefined) throw invalid(task.source, `it has no ${name}`);
    const bytes = archive.subarray(found.start, found.end);
    return decompress(detectCompression(bytes), chunksOf(bytes));
  };
  checkControl(task, await readControl(member("control.tar")));
  const pruned = compileTreeGlobs(task.prune);
  const writer = new TreeWriter(task.target);
  await readTar(member("data.tar"), (entry) => {
    const original = parseTreePath(entry.path);
    const path = mergeUsr(original);
    // A top-level link such as bin → usr/bin is what the merge stands for.
    if (path === "" || (entry.kind === "symlink" && TOP_FOLDERS.test(original) && !original.includes("/"))) return undefined;
    if (pruned(path) || isPrunedDocumentation(path)) return undefined;
    return writeEntry(writer, entry, path, original);
  });
}

function writeEntry(writer: TreeWriter, entry: TarEntry, path: TreePath, original: TreePath): TarSink | undefined {
  switch (entry.kind) {
    case "directory":
      writer.directory(path);
      return undefined;
    case "file":
      return writer.file(path, entry.executable);
    case "symlink":
      writer.symlink(path, mergedTarget(path, original, entry.target));
      return undefined;
    case "hard-link":
      writer.hardLink(path, mergeUsr(parseTreePath(entry.target)));
      return undefined;
    default:
      throw new TsosError({
        code: "archive.unsafe-kind",
        message: `the archive's entry "${entry.path}" is of the kind "${entry.type}", expected a file, folder or link`,
        data: { path: entry.path },
      });
  }
}

const TOP_FOLDERS = /^(bin|sbin|lib|lib32|lib64|libx32)(?=\/|$)/;

function mergeUsr(path: TreePath): TreePath {
  return TOP_FOLDERS.test(path) ? `usr/${path}` : path;
}

function mergedTarget(path: TreePath, original: TreePath, target: ByteString): ByteString {
  if (target.startsWith("/")) return `/${mergeUsr(target.slice(1))}`;
  const resolved = resolveLink(original, target);
  if (resolved === undefined || (path === original && mergeUsr(resolved) === resolved)) return target;
  return relativeTarget(path, mergeUsr(resolved));
}

/** Licences are the one part of a package's documentation that goes where it goes; manuals stay in English. */
function isPrunedDocumentation(path: TreePath): boolean {
  if (/^usr\/share\/man\/(?!man\d)./.test(path)) return true;
  return /^usr\/share\/doc\/[^/]+\/./.test(path) && !/^usr\/share\/doc\/[^/]+\/copyright$/.test(path);
}

async function readControl(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  await readTar(source, (entry) => {
    if (entry.kind !== "file" || parseTreePath(entry.path) !== "control" || entry.size > 1024 * 1024) return undefined;
    return { write: (bytes) => void parts.push(bytes.slice()), end: () => undefined };
  });
  return bytesToByteString(concatBytes(parts));
}

function checkControl(task: UnpackDebTask, control: string): void {
  for (const [field, expected] of [["Package", task.package], ["Version", task.version]] as const) {
    const actual = new RegExp(`^${field}: *(.*?) *$`, "m").exec(control)?.[1];
    if (actual === undefined) throw invalid(task.source, `its control file has no ${field}`);
    if (expected !== undefined && expected !== actual) throw invalid(task.source, `its ${field} is "${actual}", expected "${expected}"`);
  }
}

async function* chunksOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

const CHUNK = 256 * 1024;

function invalid(source: string, reason: string): TsosError {
  return new TsosError({ code: "archive.invalid", message: `"${source}" is not a Debian package: ${reason}` });
}
