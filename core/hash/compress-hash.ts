/**
 * A digest folded to `size` bytes by exclusive or: what the hash part of a store path is made of.
 */
export function compressHash(digest: Uint8Array, size: number): Uint8Array {
  // Nix: libutil/hash.cc, compressHash.
  const result = new Uint8Array(size);
  for (let i = 0; i < digest.length; i++) result[i % size]! ^= digest[i]!;
  return result;
}
