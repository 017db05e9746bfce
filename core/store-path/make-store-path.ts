import { TsosError } from "../error/tsos-error.ts";
import { decodeBase16 } from "../hash/base16.ts";
import { compressHash } from "../hash/compress-hash.ts";
import { formatHash, hashBytes, hashToBase16, type Hash } from "../hash/hash.ts";
import { encodeNix32 } from "../hash/nix32.ts";
import type { ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { checkMethodAlgorithm, formatMethodAndAlgorithm, type ContentAddress, type ContentAddressMethod } from "./content-address.ts";
import { checkStorePathName } from "./store-path-name.ts";
import { DEFAULT_STORE_DIR, type StorePath } from "./store-path.ts";

// Nix: libstore/store-dir-config.cc and the comment on store paths at the head of libstore/store-api.cc.

/** What a content-addressed object refers to; `self` when it refers to its own path. */
export type StoreReferences = { readonly others: readonly StorePath[]; readonly self: boolean };

const NO_REFERENCES: StoreReferences = { others: [], self: false };

/** The path whose fingerprint is `type:hash:store:name`; every other path of this file comes down to it. */
export function makeStorePath(type: string, hash: Hash, name: string, storeDir: string = DEFAULT_STORE_DIR): StorePath {
  return makePath(type, formatHash(hash, "base16", true), name, storeDir);
}

/** `hash`: `sha256:` and its base-16 digits. */
function makePath(type: string, hash: string, name: string, storeDir: string): StorePath {
  const digits = hashToBase16("sha256", `${type}:${hash}:${storeDir}:${name}`);
  const path = `${encodeNix32(compressHash(decodeBase16(digits), HASH_BYTES))}-${name}`;
  checkStorePathName(name, path);
  return path as StorePath;
}

/** Of a path's hash part. */
const HASH_BYTES = 20;

function typeWithReferences(type: string, { others, self }: StoreReferences, storeDir: string): string {
  let text = type;
  let last = "";
  for (const path of others.length < 2 ? others : [...others].sort(compareByteStrings)) {
    if (path !== last) text += `:${storeDir}/${path}`;
    last = path;
  }
  return self ? `${text}:self` : text;
}

/**
 * The path of an object that is known by its contents: a fixed output, or a source added to the store.
 *
 * @throws TsosError `store-path.references-not-allowed` when `references` stand with a method that has none.
 */
export function makeFixedOutputPath(options: {
  readonly name: string;
  readonly method: ContentAddressMethod;
  readonly hash: Hash;
  readonly references?: StoreReferences | undefined;
  readonly storeDir?: string | undefined;
}): StorePath {
  const { name, method, hash, references = NO_REFERENCES, storeDir = DEFAULT_STORE_DIR } = options;
  checkMethodAlgorithm(method, hash.algorithm);
  if (method === "text") {
    if (references.self) throw referencesNotAllowed(name, "a text cannot refer to itself");
    return makeTextPath({ name, hash, references: references.others, storeDir });
  }
  if (method === "nar" && hash.algorithm === "sha256") {
    return makeStorePath(typeWithReferences("source", references, storeDir), hash, name, storeDir);
  }
  if (references.others.length > 0 || references.self) {
    throw referencesNotAllowed(name, `an object hashed as ${formatMethodAndAlgorithm(method, hash.algorithm)} cannot have references`);
  }
  const inner = `fixed:out:${formatMethodAndAlgorithm(method, hash.algorithm)}:${formatHash(hash, "base16")}:`;
  return makePath("output:out", `sha256:${hashToBase16("sha256", inner)}`, name, storeDir);
}

function referencesNotAllowed(name: string, reason: string): TsosError {
  return new TsosError({ code: "store-path.references-not-allowed", message: `"${name}" has no content-addressed path: ${reason}`, data: { name } });
}

/** The path of an object with this content address. */
export function makeContentAddressedPath(name: string, contentAddress: ContentAddress, references?: StoreReferences, storeDir?: string): StorePath {
  return makeFixedOutputPath({ name, ...contentAddress, references, storeDir });
}

/** The path of a text: a `.drv`, or what `builtins.toFile` writes. `hash` is the sha256 of its bytes. */
export function makeTextPath(
  options: {
    readonly name: string;
    readonly references?: Iterable<StorePath> | undefined;
    readonly storeDir?: string | undefined;
  } & ({ readonly hash: Hash } | { readonly contents: Uint8Array | ByteString }),
): StorePath {
  const { name, references = [], storeDir = DEFAULT_STORE_DIR } = options;
  const hash = "hash" in options ? formatTextHash(options.hash) : hashContents(options.contents);
  return makePath(typeWithReferences("text", { others: [...references], self: false }, storeDir), hash, name, storeDir);
}

function formatTextHash(hash: Hash): string {
  checkMethodAlgorithm("text", hash.algorithm);
  return formatHash(hash, "base16", true);
}

function hashContents(contents: Uint8Array | ByteString): string {
  return typeof contents === "string" ? `sha256:${hashToBase16("sha256", contents)}` : formatHash(hashBytes("sha256", contents), "base16", true);
}

/** The name of an output's store path: `hello` for `out`, `hello-dev` for `dev`. */
export function outputPathName(name: string, outputName: string): string {
  return outputName === "out" ? name : `${name}-${outputName}`;
}

/** The path of an input-addressed output; `derivationHash` is the derivation's hash modulo fixed outputs, SHA-256 in base 16. */
export function makeOutputPath(options: {
  readonly derivationHash: string;
  readonly outputName: string;
  readonly name: string;
  readonly storeDir?: string | undefined;
}): StorePath {
  const { derivationHash, outputName, name, storeDir = DEFAULT_STORE_DIR } = options;
  return makePath(`output:${outputName}`, `sha256:${derivationHash}`, outputPathName(name, outputName), storeDir);
}
