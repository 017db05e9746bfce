import { fromByteString, type ByteString } from "../util/bytes.ts";
import { unreachable } from "../util/unreachable.ts";
import type { NarVisitor } from "./nar-visitor.ts";
import { readNar } from "./read-nar.ts";

/** What is in an archive, without the contents; `offset` is where a file's begin in it. */
export type NarListing =
  | { readonly kind: "regular"; readonly executable: boolean; readonly size: number; readonly offset: number }
  | { readonly kind: "symlink"; readonly target: ByteString }
  | { readonly kind: "directory"; readonly entries: ReadonlyMap<ByteString, NarListing> };

/** Reads an archive through. */
export async function listNar(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<NarListing> {
  const { visitor, result } = createNarLister();
  await readNar(source, visitor);
  return result();
}

/** The visitor behind `listNar`, for who reads an archive for other ends at the same time; `result` once it was read whole. */
export function createNarLister(): { readonly visitor: NarVisitor; result(): NarListing } {
  let root: NarListing | undefined;
  const open: Map<ByteString, NarListing>[] = [];
  const add = (path: ByteString, node: NarListing): void => {
    const parent = open.at(-1);
    if (parent === undefined) root = node;
    else parent.set(path.slice(path.lastIndexOf("/") + 1), node);
  };
  const visitor: NarVisitor = {
    directory(path) {
      const entries = new Map<ByteString, NarListing>();
      add(path, { kind: "directory", entries });
      open.push(entries);
    },
    endDirectory() {
      open.pop();
    },
    symlink(path, target) {
      add(path, { kind: "symlink", target });
    },
    regular(path, executable, size, offset) {
      add(path, { kind: "regular", executable, size, offset });
    },
  };
  return {
    visitor,
    result() {
      if (root === undefined) throw new Error("the archive was not read");
      return root;
    },
  };
}

export type NarListingJson = { readonly [key: string]: boolean | number | string | NarListingJson };

/**
 * The form of a binary cache's `.ls` files. At `depth` (counted from the root, which is 0) nodes are empty.
 *
 * @throws TypeError when a name is not UTF-8, which JSON cannot hold.
 */
export function narListingToJson(listing: NarListing, options: { readonly offsets?: boolean; readonly depth?: number } = {}): NarListingJson {
  const { offsets = true, depth = Infinity } = options;
  if (depth === 0) return {};
  switch (listing.kind) {
    case "regular":
      return { executable: listing.executable, ...(offsets ? { narOffset: listing.offset } : {}), size: listing.size, type: "regular" };
    case "symlink":
      return { target: fromByteString(listing.target), type: "symlink" };
    case "directory":
      return {
        entries: Object.fromEntries(
          [...listing.entries].map(([name, child]) => [fromByteString(name), narListingToJson(child, { offsets, depth: depth - 1 })]),
        ),
        type: "directory",
      };
    default:
      return unreachable(listing);
  }
}
