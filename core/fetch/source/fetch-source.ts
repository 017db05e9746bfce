import { TsosError } from "../../error/tsos-error.ts";
import { parseHash } from "../../hash/hash.ts";
import { makeFixedOutputPath } from "../../store-path/make-store-path.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import { findText, sortAttributes, type SourceAttributes } from "./attributes.ts";
import type { SourceContext } from "./scheme.ts";
import { checkSource, formatSource, getScheme } from "./source.ts";
import { hidePassword } from "./source-url.ts";

/** A source that was fetched. */
export type FetchedSource = {
  /** The tree (or the file) on disk, which nobody changes. */
  readonly root: string;
  /** SRI. */
  readonly narHash: string;
  /** What names this very tree: `rev`, `lastModified`, `narHash` and the like. */
  readonly attributes: SourceAttributes;
};

/**
 * Fetches a source, or takes it from the cache.
 *
 * With `isFinal` the attributes come from a lock file: they are what an earlier fetch found, and are given back as
 * they are. A tree with their `narHash` is taken from wherever it is.
 *
 * @throws TsosError `source.hash-mismatch` naming both hashes; `source.*`, `archive.*`
 */
export async function fetchSource(attributes: SourceAttributes, context: SourceContext, options: { readonly isFinal?: boolean } = {}): Promise<FetchedSource> {
  const wanted = checkSource(attributes);
  const narHash = findText(wanted, "narHash");
  if (options.isFinal === true && narHash !== undefined) {
    const root = context.cache.findTree(narHash);
    if (root !== undefined) return { root, narHash, attributes: wanted };
  }
  const result = await getScheme(wanted).fetch(wanted, context);
  if (narHash !== undefined && result.narHash !== narHash) {
    throw new TsosError({
      code: "source.hash-mismatch",
      message: `NAR hash mismatch in input '${showSource(wanted)}', expected '${narHash}' but got '${result.narHash}'`,
      data: { source: showSource(wanted), expected: narHash, actual: result.narHash },
    });
  }
  const found = sortAttributes({ ...result.attributes, narHash: result.narHash });
  const rev = findText(wanted, "rev");
  if (rev !== undefined && found["rev"] !== rev.toLowerCase() && found["rev"] !== rev) {
    throw new TsosError({ code: "source.rev-mismatch", message: `'rev' attribute mismatch in input '${showSource(found)}', expected ${rev}`, data: { expected: rev, actual: found["rev"] } });
  }
  if (options.isFinal !== true) return { root: result.root, narHash: result.narHash, attributes: found };
  for (const [name, value] of Object.entries(wanted)) {
    if (found[name] === undefined || found[name] === value) continue;
    throw new TsosError({ code: "source.lock-mismatch", message: `mismatch in field '${name}' of input '${JSON.stringify(wanted)}', got '${JSON.stringify(found)}'`, data: { field: name } });
  }
  return { root: result.root, narHash: result.narHash, attributes: wanted };
}

/** A source's URL for people: without passwords. */
export function showSource(attributes: SourceAttributes): string {
  return hidePassword(formatSource(attributes));
}

/** The store path that a fetched source has. */
export function sourceStorePath(source: Pick<FetchedSource, "narHash" | "attributes">, storeDir?: string): StorePath {
  const name = findText(source.attributes, "name") ?? "source";
  return makeFixedOutputPath({ name, method: "nar", hash: parseHash(source.narHash), storeDir });
}
