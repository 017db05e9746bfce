import { join } from "node:path";
import { readArchive } from "./archive.ts";
import { GOLDEN_DIR } from "./golden-dir.ts";

/** The reference's test vectors, by path (`util/nars/dot.nar`). Some of its files are links to what is not in it; those are left out. */
export async function readVectors(): Promise<ReadonlyMap<string, Uint8Array>> {
  const vectors = new Map<string, Uint8Array>();
  for await (const { path, bytes } of readArchive(join(GOLDEN_DIR, "nix-vectors.tar.zst"))) vectors.set(path, bytes);
  return vectors;
}

export function getVector(vectors: ReadonlyMap<string, Uint8Array>, path: string): Uint8Array {
  const bytes = vectors.get(path);
  if (bytes === undefined) throw new Error(`there is no vector ${path}`);
  return bytes;
}

export function getVectorText(vectors: ReadonlyMap<string, Uint8Array>, path: string): string {
  return Buffer.from(getVector(vectors, path)).toString("utf8");
}

export function getVectorJson(vectors: ReadonlyMap<string, Uint8Array>, path: string): unknown {
  return JSON.parse(getVectorText(vectors, path));
}
