import { formatHash, parseHash } from "../../hash/hash.ts";
import type { NewPathInfo, ValidPathInfo } from "../../store/path-info.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import { compareByteStrings } from "../../util/ordering.ts";
import { readOptionalContentAddress, readOptionalPath, readPath, readPaths, writeOptionalContentAddress, writeOptionalPath, writePath, writePaths } from "./path-codec.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** What is said of a path, its name read or known before. Nix: libstore/worker-protocol.cc, UnkeyedValidPathInfo. */
export async function readUnkeyedPathInfo(reader: WireReader, path: StorePath, storeDir: string): Promise<ValidPathInfo> {
  const deriver = await readOptionalPath(reader, storeDir);
  const narHash = parseHash(await reader.string(256), "sha256");
  const references = (await readPaths(reader, storeDir)).sort(compareByteStrings);
  const registrationTime = await reader.number();
  const narSize = await reader.number();
  const ultimate = await reader.boolean();
  const signatures = await reader.strings();
  const contentAddress = await readOptionalContentAddress(reader);
  return { path, deriver, narHash, references, registrationTime, narSize, ultimate, signatures, contentAddress };
}

export function writeUnkeyedPathInfo(writer: WireWriter, info: NewPathInfo, storeDir: string): void {
  writeOptionalPath(writer, info.deriver, storeDir);
  writer.string(formatHash(info.narHash, "base16"));
  writePaths(writer, info.references, storeDir);
  writer.number(info.registrationTime ?? 0).number(info.narSize).boolean(info.ultimate ?? false);
  writer.strings([...(info.signatures ?? [])].sort(compareByteStrings));
  writeOptionalContentAddress(writer, info.contentAddress);
}

export async function readPathInfo(reader: WireReader, storeDir: string): Promise<ValidPathInfo> {
  return readUnkeyedPathInfo(reader, await readPath(reader, storeDir), storeDir);
}

export function writePathInfo(writer: WireWriter, info: NewPathInfo, storeDir: string): void {
  writePath(writer, info.path, storeDir);
  writeUnkeyedPathInfo(writer, info, storeDir);
}
