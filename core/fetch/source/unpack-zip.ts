import { open, type Entry, type ZipFile } from "yauzl";
import { TsosError } from "../../error/tsos-error.ts";
import { bytesToByteString, concatBytes, type ByteString } from "../../util/bytes.ts";
import { parseTreePath } from "../archive/tree-path.ts";
import type { TreeWriter } from "../archive/tree-writer.ts";
import type { UnpackGuard } from "./unpack-guard.ts";

const FILE_KIND = 0o170000;
const LINK = 0o120000;
const DIRECTORY = 0o040000;
const LONGEST_TARGET = 4096;

/** @returns the latest time of any entry, in seconds */
export async function unpackZip(file: string, writer: TreeWriter, guard: UnpackGuard, signal: AbortSignal | undefined): Promise<number> {
  let lastModified = 0;
  const zip = await openZip(file);
  try {
    for await (const entry of entriesOf(zip)) {
      signal?.throwIfAborted();
      guard.entry();
      // As text unless it is known to be bytes: the archive's own word decides how names are read.
      const name: ByteString = bytesToByteString(entry.fileNameRaw);
      const path = parseTreePath(name);
      const mode = madeOnUnix(entry) ? entry.externalFileAttributes >>> 16 : 0;
      lastModified = Math.max(lastModified, Math.floor(entry.getLastModDate({ timezone: "UTC" }).getTime() / 1000));
      if (name.endsWith("/") || (mode & FILE_KIND) === DIRECTORY) {
        writer.directory(path);
      } else if ((mode & FILE_KIND) === LINK) {
        if (entry.uncompressedSize > LONGEST_TARGET) throw broken(`the link "${name}" has a target of ${entry.uncompressedSize} bytes`);
        const parts: Uint8Array[] = [];
        for await (const chunk of await openEntry(zip, entry)) parts.push(chunk as Uint8Array);
        writer.remove(path);
        writer.symlink(path, bytesToByteString(concatBytes(parts)), { anywhere: true });
      } else {
        writer.remove(path);
        const sink = writer.file(path, (mode & 0o100) !== 0);
        for await (const chunk of await openEntry(zip, entry)) {
          guard.bytes((chunk as Uint8Array).length);
          sink.write(chunk as Uint8Array);
        }
        sink.end();
      }
    }
  } catch (cause) {
    if (cause instanceof TsosError || signal?.aborted === true) throw cause;
    throw broken(cause instanceof Error ? cause.message : String(cause), cause);
  } finally {
    zip.close();
  }
  return lastModified;
}

/** The upper byte of "version made by": 3 is Unix, 19 macOS; only these have modes. */
function madeOnUnix(entry: Entry): boolean {
  const system = entry.versionMadeBy >>> 8;
  return system === 3 || system === 19;
}

function openZip(file: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    // Names are checked here, as bytes; sizes are checked by the library against what the archive says.
    open(file, { lazyEntries: true, autoClose: false, decodeStrings: false, validateEntrySizes: true }, (error, zip) => (error === null ? resolve(zip) : reject(broken(error.message, error))));
  });
}

function openEntry(zip: ZipFile, entry: Entry): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => zip.openReadStream(entry, (error, stream) => (error === null ? resolve(stream) : reject(error))));
}

async function* entriesOf(zip: ZipFile): AsyncIterable<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      const done = (settle: () => void): void => {
        zip.removeAllListeners("entry");
        zip.removeAllListeners("end");
        zip.removeAllListeners("error");
        settle();
      };
      zip.once("entry", (found: Entry) => done(() => resolve(found)));
      zip.once("end", () => done(() => resolve(undefined)));
      zip.once("error", (error: Error) => done(() => reject(error)));
      zip.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}

function broken(reason: string, cause?: unknown): TsosError {
  return new TsosError({ code: "archive.invalid", message: `the zip archive is broken: ${reason}`, cause });
}
