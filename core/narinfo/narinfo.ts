import { TsosError } from "../error/tsos-error.ts";
import { formatHash, parseHash, type Hash } from "../hash/hash.ts";
import { formatContentAddress, parseContentAddress, type ContentAddress } from "../store-path/content-address.ts";
import { DEFAULT_STORE_DIR, formatStorePath, parseStorePath, parseStorePathBaseName, type StorePath } from "../store-path/store-path.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { formatSignature, parseSignature, type Signature } from "./signature.ts";

/** What a binary cache tells of a store path: its `.narinfo` file. */
export type NarInfo = {
  readonly path: StorePath;
  /** Of the archive, relative to the cache. */
  readonly url: string;
  readonly compression: string;
  /** Of the archive as it is downloaded. */
  readonly fileHash?: Hash | undefined;
  readonly fileSize?: number | undefined;
  readonly narHash: Hash;
  readonly narSize: number;
  readonly references: readonly StorePath[];
  readonly deriver?: StorePath | undefined;
  readonly signatures: readonly Signature[];
  readonly contentAddress?: ContentAddress | undefined;
};

/** What is signed of a path. */
export function narInfoFingerprint(
  info: Pick<NarInfo, "path" | "narHash" | "narSize" | "references">,
  storeDir: string = DEFAULT_STORE_DIR,
): string {
  // Nix: libstore/path-info.cc, fingerprint.
  const references = [...info.references].sort(compareByteStrings).map((path) => formatStorePath(path, storeDir));
  return `1;${formatStorePath(info.path, storeDir)};${formatHash(info.narHash, "nix32", true)};${info.narSize};${references.join(",")}`;
}

export function formatNarInfo(info: NarInfo, storeDir: string = DEFAULT_STORE_DIR): string {
  const lines = [`StorePath: ${formatStorePath(info.path, storeDir)}`, `URL: ${info.url}`, `Compression: ${info.compression}`];
  if (info.fileHash !== undefined) lines.push(`FileHash: ${formatHash(info.fileHash, "nix32", true)}`);
  if (info.fileSize !== undefined) lines.push(`FileSize: ${info.fileSize}`);
  lines.push(`NarHash: ${formatHash(info.narHash, "nix32", true)}`, `NarSize: ${info.narSize}`, `References: ${info.references.join(" ")}`);
  if (info.deriver !== undefined) lines.push(`Deriver: ${info.deriver}`);
  for (const signature of info.signatures) lines.push(`Sig: ${formatSignature(signature)}`);
  if (info.contentAddress !== undefined) lines.push(`CA: ${formatContentAddress(info.contentAddress)}`);
  return `${lines.join("\n")}\n`;
}

/** @throws TsosError `narinfo.malformed` with the line, or naming the field that is missing. */
export function parseNarInfo(text: string, storeDir: string = DEFAULT_STORE_DIR): NarInfo {
  const fields = new Map<string, string>();
  const signatures: Signature[] = [];
  const lines = text.split("\n");
  // Each line has an end; what follows the last one is nothing.
  if (lines.pop() !== "") throw malformed(`its last line has no end`, lines.length + 1);
  for (const [index, line] of lines.entries()) {
    const colon = line.indexOf(": ");
    const name = colon >= 0 ? line.slice(0, colon) : line.endsWith(":") ? line.slice(0, -1) : undefined;
    if (name === undefined) throw malformed(`"${line}", expected "<name>: <value>"`, index + 1);
    const value = colon >= 0 ? line.slice(colon + 2) : "";
    if (name === "Sig") signatures.push(parseSignature(value));
    else if (fields.has(name)) throw malformed(`"${name}" stands twice`, index + 1);
    else fields.set(name, value);
  }
  const required = (name: string): string => fields.get(name) ?? missing(name);
  const references = fields.get("References") ?? "";
  const deriver = fields.get("Deriver");
  const fileHash = fields.get("FileHash");
  const fileSize = fields.get("FileSize");
  const contentAddress = fields.get("CA");
  return {
    path: parseStorePath(required("StorePath"), storeDir),
    url: required("URL"),
    // What a file of Nix's first years, which had no choice, was compressed with.
    compression: fields.get("Compression") || "bzip2",
    ...(fileHash === undefined ? {} : { fileHash: parseHash(fileHash) }),
    ...(fileSize === undefined ? {} : { fileSize: parseSize("FileSize", fileSize) }),
    narHash: parseHash(required("NarHash")),
    narSize: parseSize("NarSize", required("NarSize")),
    references: references.split(" ").filter((path) => path !== "").map((path) => parseStorePathBaseName(path)),
    ...(deriver === undefined || deriver === "unknown-deriver" ? {} : { deriver: parseStorePathBaseName(deriver) }),
    signatures,
    ...(contentAddress === undefined ? {} : { contentAddress: parseContentAddress(contentAddress) }),
  };
}

function parseSize(name: string, text: string): number {
  const size = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(size)) throw malformed(`${name} is "${text}", expected a number of bytes`);
  return size;
}

function missing(name: string): never {
  throw malformed(`it has no "${name}"`);
}

function malformed(problem: string, line?: number): TsosError {
  return new TsosError({ code: "narinfo.malformed", message: `narinfo${line === undefined ? "" : `, line ${line}`}: ${problem}`, data: { line } });
}
