import { resolve } from "node:path";
import type { Instantiation } from "../derivation/instantiation.ts";
import { parseDerivation } from "../derivation/parse-derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import { formatStorePath, parseStorePath, storePathName, type StorePath } from "../store-path/store-path.ts";
import type { LocalStore, TextToAdd } from "./store.ts";

/**
 * Writes what an evaluation made into the store: its sources, then its derivations, inputs first. What is
 * valid already is left alone. All of it is kept from the garbage collector while this process lives.
 *
 * @throws TsosError `instantiate.changed-source` when a project's file changed since it was evaluated
 */
export async function instantiate(store: LocalStore, data: Instantiation, signal?: AbortSignal): Promise<void> {
  const paths = [...data.sources, ...data.derivations].map(({ path }) => parseStorePath(path, store.storeDir));
  await store.addTemporaryRoot(...paths);
  const valid = await store.queryValidPaths(paths);
  const missing = (path: string): boolean => !valid.has(parseStorePath(path, store.storeDir));

  for (const source of data.sources) {
    if (source.kind !== "path" || !missing(source.path)) continue;
    const excluded = source.excluded === undefined ? undefined : new Set(source.excluded);
    const added = await store.addPathToStore(source.name, resolve(source.file), { signal, method: source.method, references: source.references?.map((path) => parseStorePath(path, store.storeDir)), include: excluded === undefined ? undefined : (file) => !excluded.has(file) });
    const path = formatStorePath(added, store.storeDir);
    if (path !== source.path) {
      throw new TsosError({
        code: "instantiate.changed-source",
        message: `"${source.file}" changed while tsos ran: it is "${path}" now and was evaluated as "${source.path}"`,
        hint: "run the command again",
      });
    }
  }

  const texts: TextToAdd[] = [];
  for (const source of data.sources) {
    if (source.kind !== "text" || !missing(source.path)) continue;
    texts.push({ name: source.name, contents: source.contents, references: source.references.map((path) => parseStorePath(path, store.storeDir)) });
  }
  for (const { path, contents } of data.derivations) {
    if (!missing(path)) continue;
    const name = storePathName(parseStorePath(path, store.storeDir));
    const derivation = parseDerivation(contents, name.replace(/\.drv$/, ""));
    const references = [...derivation.inputDerivations.keys(), ...derivation.inputSources];
    texts.push({ name, contents, references: references.sort() as StorePath[] });
  }
  if (texts.length > 0) await store.addTextsToStore(texts, { signal });
}
