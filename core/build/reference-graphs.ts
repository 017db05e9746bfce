import type { Derivation } from "../derivation/derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import { encodeNix32 } from "../hash/nix32.ts";
import type { LocalStore } from "../store/store.ts";
import { formatContentAddress } from "../store-path/content-address.ts";
import { formatStorePath, isDerivationPath, splitStorePath, type StorePath } from "../store-path/store-path.ts";
import { encodeUtf8 } from "../util/bytes.ts";
import { structuredAttributesOf, words } from "./derivation-attributes.ts";

/**
 * `exportReferencesGraph`: a name and the paths whose closure it gets. Of structured attributes what is no set is passed over.
 *
 * @throws TsosError `build.bad-reference-graph`
 */
export function parseReferenceGraphs(derivation: Derivation, storeDir: string): ReadonlyMap<string, readonly StorePath[]> {
  const graphs = new Map<string, readonly StorePath[]>();
  const toPath = (text: string): StorePath => {
    if (text.startsWith(`${storeDir}/`)) return splitStorePath(text, storeDir).path;
    throw badGraph(`"exportReferencesGraph" names "${text}", which is not in the store`, { words: `path '${text}' is not in the Nix store` });
  };
  const attributes = structuredAttributesOf(derivation);
  if (attributes !== undefined) {
    const asked = attributes["exportReferencesGraph"];
    if (typeof asked !== "object" || asked === null || Array.isArray(asked)) return graphs;
    for (const [key, paths] of Object.entries(asked as Record<string, unknown>)) {
      const list: readonly unknown[] = Array.isArray(paths) ? paths.flat(Infinity) : [paths];
      graphs.set(
        key,
        list.map((path) => {
          if (typeof path !== "string") throw badGraph(`"exportReferencesGraph" has ${JSON.stringify(path)} at "${key}", expected a path or a list of paths`, { words: "'exportReferencesGraph' value is not an array or a string" });
          return toPath(path);
        }),
      );
    }
    return graphs;
  }
  const text = derivation.env.get("exportReferencesGraph");
  const list = words(text);
  if (list.length % 2 !== 0) throw badGraph(`"exportReferencesGraph" has ${list.length} words, expected pairs of a file's name and a store path`, { words: `odd number of tokens in 'exportReferencesGraph': '${text!}'` });
  for (let i = 0; i < list.length; i += 2) {
    const file = list[i]!;
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(file)) throw badGraph(`"exportReferencesGraph" has the file name "${file}", expected letters, digits, "_", "-", "."`, { words: `invalid file name '${file}' in 'exportReferencesGraph'` });
    graphs.set(file, [toPath(list[i + 1]!)]);
  }
  return graphs;
}

/** Each file gets the closure of its path. `inputs` is the closure of the inputs, of which alone may be told. */
export async function textGraphs(store: LocalStore, derivation: Derivation, inputs: ReadonlySet<StorePath>): Promise<ReadonlyMap<string, Uint8Array>> {
  const graphs = new Map<string, Uint8Array>();
  for (const [file, starts] of parseReferenceGraphs(derivation, store.storeDir)) {
    let text = "";
    for (const path of await graphClosure(store, starts, inputs)) {
      const { references } = await store.getPathInfo(path);
      text += [formatStorePath(path, store.storeDir), "", references.length, ...references.map((reference) => formatStorePath(reference, store.storeDir)), ""].join("\n");
    }
    graphs.set(file, encodeUtf8(text));
  }
  return graphs;
}

/** The same for structured attributes: `{ name: [path…] }` becomes a list of what the store knows of each path. */
export async function jsonGraphs(store: LocalStore, derivation: Derivation, inputs: ReadonlySet<StorePath>): Promise<Readonly<Record<string, unknown>>> {
  const result: Record<string, unknown> = {};
  for (const [key, starts] of parseReferenceGraphs(derivation, store.storeDir)) {
    const graph: unknown[] = [];
    for (const path of await graphClosure(store, starts, inputs)) {
      const info = await store.getPathInfo(path);
      let closureSize = 0;
      for (const member of await store.closure([path])) closureSize += (await store.getPathInfo(member)).narSize;
      graph.push({
        ...(info.contentAddress === undefined ? {} : { ca: formatContentAddress(info.contentAddress) }),
        closureSize,
        narHash: `${info.narHash.algorithm}:${encodeNix32(info.narHash.digest)}`,
        narSize: info.narSize,
        path: formatStorePath(path, store.storeDir),
        references: info.references.map((reference) => formatStorePath(reference, store.storeDir)),
        valid: true,
      });
    }
    result[key] = graph;
  }
  return result;
}

async function graphClosure(store: LocalStore, starts: readonly StorePath[], inputs: ReadonlySet<StorePath>): Promise<readonly StorePath[]> {
  for (const path of starts) {
    if (!inputs.has(path)) throw badGraph(`"exportReferencesGraph" names "${formatStorePath(path, store.storeDir)}", which is not in the closure of the inputs`, { path: formatStorePath(path, store.storeDir) });
  }
  const closure = new Set(await store.closure(starts));
  // With a derivation goes what it and those that it needs are for. Nix: libstore/misc.cc, exportReferences
  for (const path of [...closure]) {
    if (!isDerivationPath(path)) continue;
    const outputs = [...(await store.queryDerivationOutputs(path)).values()];
    for (const member of await store.closure(outputs)) closure.add(member);
  }
  return [...closure].sort();
}

/** @param data `words`: how the reference says it, `path`: of what is not an input */
function badGraph(message: string, data: { readonly words?: string; readonly path?: string }): TsosError {
  return new TsosError({ code: "build.bad-reference-graph", message, data });
}
