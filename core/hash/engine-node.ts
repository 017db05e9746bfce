import { createHash, hash } from "node:crypto";
import { blake3 } from "@noble/hashes/blake3.js";
import { byteStringToBytes, type ByteString } from "../util/bytes.ts";
import type { HashAlgorithm } from "./hash-algorithm.ts";
import type { Hasher } from "./hasher.ts";

// The host's half of `#hash-engine`; the other one is engine-noble.ts. Node's crypto has no blake3.

export function createEngineHasher(algorithm: HashAlgorithm): Hasher {
  const hasher = algorithm === "blake3" ? blake3.create() : createHash(algorithm);
  return {
    update(bytes) {
      hasher.update(bytes);
    },
    digest: () => plain(hasher.digest()),
  };
}

export function digestBytes(algorithm: HashAlgorithm, bytes: Uint8Array): Uint8Array {
  return algorithm === "blake3" ? blake3(bytes) : plain(hash(algorithm, bytes, "buffer"));
}

/** Where short texts are written to be hashed; never read after that. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** The digest of the bytes that `text` stands for. */
export function digestByteString(algorithm: HashAlgorithm, text: ByteString): Uint8Array {
  return algorithm === "blake3" ? blake3(byteStringToBytes(text)) : plain(hash(algorithm, bytesOf(text), "buffer"));
}

/** The same in base 16: without a buffer for the digest, which takes longer to make than most digests do. */
export function digestBase16(algorithm: HashAlgorithm, text: ByteString): string {
  return algorithm === "blake3" ? formatBytes(blake3(byteStringToBytes(text))) : hash(algorithm, bytesOf(text), "hex");
}

function bytesOf(text: ByteString): Buffer {
  return text.length <= scratch.length ? scratch.subarray(0, scratch.write(text, "latin1")) : Buffer.from(text, "latin1");
}

/** Two hexadecimal digits a byte. */
export function formatBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** Not a Buffer, so that digests of both engines are the same to everyone. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
