import type { StorePath } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import type { Evaluator } from "../evaluator.ts";
import type { NixSource } from "../nix-fetcher.ts";
import type { Attrs, Slot } from "../value.ts";

const EMPTY = "0".repeat(40);

/**
 * What a fetched tree is in the language: its path, and what is known of it.
 *
 * @param options.isChanged its revision is not told, since the tree is used with a change
 * @param options.emptyRevision a tree without a revision has one of zeros, as `fetchGit` gives it
 */
export function treeAttributes(e: Evaluator, path: StorePath, source: NixSource, options: { readonly emptyRevision?: boolean; readonly isChanged?: boolean } = {}): Attrs {
  const { narHash, rev, revCount, dirtyRev, dirtyShortRev, lastModified } = source;
  const attributes: (readonly [ByteString, Slot])[] = [["outPath", e.makeString(`${e.io.storeDir}/${path}`, new Set([path]))]];
  if (typeof narHash === "string") attributes.push(["narHash", narHash]);
  if (source["type"] === "git") attributes.push(["submodules", source["submodules"] === true]);
  const isChanged = options.isChanged === true;
  const revision = isChanged ? undefined : typeof rev === "string" ? rev : options.emptyRevision === true ? EMPTY : undefined;
  if (revision !== undefined) attributes.push(["rev", revision], ["shortRev", revision.slice(0, 7)]);
  if (typeof revCount === "number" && !isChanged) attributes.push(["revCount", revCount]);
  else if (options.emptyRevision === true) attributes.push(["revCount", 0]);
  if (typeof dirtyRev === "string") attributes.push(["dirtyRev", dirtyRev], ["dirtyShortRev", String(dirtyShortRev)]);
  if (typeof lastModified === "number") attributes.push(["lastModified", lastModified], ["lastModifiedDate", formatDate(lastModified)]);
  return e.makeSet(attributes);
}

/** `20231114221320`, in UTC. */
function formatDate(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace(/[-:T]/g, "");
}
