import { readFile } from "node:fs/promises";
import type { SourceAttributes } from "../fetch/source/attributes.ts";
import { fetchSource, sourceStorePath } from "../fetch/source/fetch-source.ts";
import type { SourceContext } from "../fetch/source/scheme.ts";
import { checkSource } from "../fetch/source/source.ts";
import { hashBytes, type Hash } from "../hash/hash.ts";
import type { LocalStore } from "../store/store.ts";
import type { StorePath } from "../store-path/store-path.ts";
import { formatSourceUrl, parseSourceUrl } from "../fetch/source/source-url.ts";

/** Puts sources into a store. */
export type StoreFetcher = {
  source(source: SourceAttributes, isFinal: boolean): Promise<{ readonly path: StorePath; readonly attributes: SourceAttributes }>;
  file(url: string, name: string): Promise<{ readonly path: StorePath; readonly hash: Hash }>;
};

export function createStoreFetcher(store: LocalStore, openContext: () => Promise<SourceContext>): StoreFetcher {
  let context: Promise<SourceContext> | undefined;
  const getContext = (): Promise<SourceContext> => (context ??= openContext());
  const fetched = new Map<string, Promise<{ readonly path: StorePath; readonly attributes: SourceAttributes }>>();

  const fetchOnce = async (given: SourceAttributes, isFinal: boolean): Promise<{ readonly path: StorePath; readonly attributes: SourceAttributes }> => {
    const source = checkSource(given);
    const { narHash } = source;
    if (isFinal && typeof narHash === "string") {
      // What is locked is taken from the store, where it is there.
      const path = sourceStorePath({ narHash, attributes: source }, store.storeDir);
      await store.addTemporaryRoot(path);
      if (await store.isValidPath(path)) return { path, attributes: source };
    }
    const found = await fetchSource(source, await getContext(), { isFinal });
    const path = sourceStorePath(found, store.storeDir);
    await store.addTemporaryRoot(path);
    if (!(await store.isValidPath(path))) await store.addPathToStore(typeof source["name"] === "string" ? source["name"] : "source", found.root);
    return { path, attributes: found.attributes };
  };

  return {
    source(source, isFinal) {
      // A folder of this machine may change in between: a lock file is written into it.
      if (source["type"] === "path" || String(source["url"]).startsWith("file:")) return fetchOnce(source, isFinal);
      const key = JSON.stringify([source, isFinal]);
      let found = fetched.get(key);
      if (found === undefined) fetched.set(key, (found = fetchOnce(source, isFinal)));
      return found;
    },
    async file(url, name) {
      const { root } = await fetchSource({ type: "file", url: formatSourceUrl(parseSourceUrl(url)) }, await getContext());
      const hash = hashBytes("sha256", await readFile(root));
      return { path: await store.addPathToStore(name, root, { method: "flat" }), hash };
    },
  };
}
