import { formatContentAddress, parseContentAddress, type ContentAddress } from "../../store-path/content-address.ts";
import { formatStorePath, parseStorePath, type StorePath } from "../../store-path/store-path.ts";
import { compareByteStrings } from "../../util/ordering.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** A store path's text is never longer than this with any sensible store folder. */
const MAX_PATH = 4096;

export async function readPath(reader: WireReader, storeDir: string): Promise<StorePath> {
  return parseStorePath(await reader.string(MAX_PATH), storeDir);
}

export function writePath(writer: WireWriter, path: StorePath, storeDir: string): void {
  writer.string(formatStorePath(path, storeDir));
}

/** The empty string is none. */
export async function readOptionalPath(reader: WireReader, storeDir: string): Promise<StorePath | undefined> {
  const text = await reader.string(MAX_PATH);
  return text === "" ? undefined : parseStorePath(text, storeDir);
}

export function writeOptionalPath(writer: WireWriter, path: StorePath | undefined, storeDir: string): void {
  writer.string(path === undefined ? "" : formatStorePath(path, storeDir));
}

export async function readPaths(reader: WireReader, storeDir: string): Promise<StorePath[]> {
  return [...new Set(await reader.list(() => readPath(reader, storeDir)))];
}

/** Sorted by bytes, as the reference's sets are. */
export function writePaths(writer: WireWriter, paths: Iterable<StorePath>, storeDir: string): void {
  writer.list([...paths].sort(compareByteStrings), (path) => writePath(writer, path, storeDir));
}

export async function readOptionalContentAddress(reader: WireReader): Promise<ContentAddress | undefined> {
  const text = await reader.string(MAX_PATH);
  return text === "" ? undefined : parseContentAddress(text);
}

export function writeOptionalContentAddress(writer: WireWriter, contentAddress: ContentAddress | undefined): void {
  writer.string(contentAddress === undefined ? "" : formatContentAddress(contentAddress));
}
