import { availableParallelism } from "node:os";
import type { Derivation } from "../derivation/derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import { hashByteString } from "../hash/hash.ts";
import { encodeNix32 } from "../hash/nix32.ts";
import type { LocalStore } from "../store/store.ts";
import { formatContentAddress } from "../store-path/content-address.ts";
import { formatStorePath, isDerivationPath, splitStorePath, type StorePath } from "../store-path/store-path.ts";
import { byteStringToBytes, encodeUtf8, fromByteString, toByteString, type ByteString } from "../util/bytes.ts";
import { formatStructuredAttributes } from "./structured-attributes.ts";

/** What a builder finds: its whole environment, and the files in its build folder. */
export type BuilderEnvironment = {
  readonly variables: ReadonlyMap<ByteString, ByteString>;
  readonly files: ReadonlyMap<string, Uint8Array>;
};

export type BuilderEnvironmentOptions = {
  readonly derivation: Derivation;
  readonly outputPaths: ReadonlyMap<string, StorePath>;
  /** The closure of the inputs: what a graph of references may be asked of. */
  readonly inputs: ReadonlySet<StorePath>;
  /** Where the build folder is for the builder. */
  readonly buildFolder: string;
  readonly cores: number;
  readonly impure: Readonly<Record<string, string | undefined>>;
};

/** The environment exactly as Nix gives it. Nix: libstore/unix/build/derivation-builder.cc, initEnv. */
export async function makeBuilderEnvironment(store: LocalStore, options: BuilderEnvironmentOptions): Promise<BuilderEnvironment> {
  const { derivation, buildFolder } = options;
  const variables = new Map<ByteString, ByteString>([
    ["PATH", "/path-not-set"],
    ["HOME", "/homeless-shelter"],
    ["NIX_STORE", store.storeDir],
    ["NIX_BUILD_CORES", String(options.cores > 0 ? options.cores : availableParallelism())],
  ]);
  const files = new Map<string, Uint8Array>();

  const structured = derivation.env.get("__json");
  if (structured === undefined) {
    const asFile = new Set(words(derivation.env.get("passAsFile")));
    for (const [name, value] of derivation.env) {
      if (asFile.has(name)) {
        const file = `.attr-${encodeNix32(hashByteString("sha256", name).digest)}`;
        files.set(file, byteStringToBytes(value));
        variables.set(`${name}Path`, `${buildFolder}/${file}`);
      } else variables.set(name, value);
    }
    for (const [file, graph] of await referenceGraphs(store, options)) files.set(file, graph);
  } else {
    const text = fromByteString(structured);
    const outputs = Object.fromEntries([...options.outputPaths].map(([name, path]) => [name, formatStorePath(path, store.storeDir)]));
    const additions = { outputs, ...(await structuredReferenceGraphs(store, text, options)) };
    const attributes = formatStructuredAttributes(text, additions);
    files.set(".attrs.json", encodeUtf8(attributes.json));
    files.set(".attrs.sh", encodeUtf8(attributes.shell));
    variables.set("NIX_ATTRS_JSON_FILE", `${buildFolder}/.attrs.json`);
    variables.set("NIX_ATTRS_SH_FILE", `${buildFolder}/.attrs.sh`);
  }

  for (const name of ["NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP", "PWD"]) variables.set(name, buildFolder);
  if (isFixedOutput(derivation)) {
    variables.set("NIX_OUTPUT_CHECKED", "1");
    for (const name of impureVariables(derivation)) {
      const value = options.impure[fromByteString(name)];
      variables.set(name, value === undefined ? "" : toByteString(value));
    }
  }
  variables.set("NIX_LOG_FD", "2");
  variables.set("TERM", "xterm-256color");
  return { variables, files };
}

/** Fixed outputs may use the network; their hash says what may come of it. */
export function isFixedOutput(derivation: Derivation): boolean {
  for (const output of derivation.outputs.values()) if (output.kind === "fixed") return true;
  return false;
}

/** An attribute that is text, wherever the derivation keeps it. */
export function derivationAttribute(derivation: Derivation, name: string): unknown {
  const structured = derivation.env.get("__json");
  if (structured === undefined) return derivation.env.get(name);
  return (JSON.parse(fromByteString(structured)) as Record<string, unknown>)[name];
}

/** An attribute that is a list of words, wherever the derivation keeps it; undefined when it is not there. */
export function derivationList(derivation: Derivation, name: string): readonly string[] | undefined {
  const value = derivationAttribute(derivation, name);
  if (typeof value === "string") return words(value);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
}

function impureVariables(derivation: Derivation): readonly ByteString[] {
  return derivationList(derivation, "impureEnvVars") ?? [];
}

function words(text: ByteString | undefined): string[] {
  return text === undefined ? [] : text.split(/[ \t\n\r]+/).filter((word) => word !== "");
}

/** `exportReferencesGraph = "file path file path"`: each file gets the closure of its path. */
async function referenceGraphs(store: LocalStore, options: BuilderEnvironmentOptions): Promise<Map<string, Uint8Array>> {
  const graphs = new Map<string, Uint8Array>();
  const list = words(options.derivation.env.get("exportReferencesGraph"));
  if (list.length % 2 !== 0) throw badGraph(`"exportReferencesGraph" has ${list.length} words, expected pairs of a file's name and a store path`, { words: `odd number of tokens in 'exportReferencesGraph': '${options.derivation.env.get("exportReferencesGraph")!}'` });
  for (let i = 0; i < list.length; i += 2) {
    const file = list[i]!;
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(file)) throw badGraph(`"exportReferencesGraph" has the file name "${file}", expected letters, digits, "_", "-", "."`, { words: `invalid file name '${file}' in 'exportReferencesGraph'` });
    let text = "";
    for (const path of await graphClosure(store, [list[i + 1]!], options)) {
      const { references } = await store.getPathInfo(path);
      text += [formatStorePath(path, store.storeDir), "", references.length, ...references.map((reference) => formatStorePath(reference, store.storeDir)), ""].join("\n");
    }
    graphs.set(file, encodeUtf8(text));
  }
  return graphs;
}

/** The same for structured attributes: `{ name: [path…] }` becomes a list of what the store knows of each path. */
async function structuredReferenceGraphs(store: LocalStore, json: string, options: BuilderEnvironmentOptions): Promise<Record<string, unknown>> {
  const asked = (JSON.parse(json) as Record<string, unknown>)["exportReferencesGraph"];
  if (typeof asked !== "object" || asked === null) return {};
  const result: Record<string, unknown> = {};
  for (const [key, paths] of Object.entries(asked as Record<string, unknown>)) {
    const list = (Array.isArray(paths) ? paths.flat(Infinity) : [paths]).filter((path) => typeof path === "string");
    const graph: unknown[] = [];
    for (const path of await graphClosure(store, list, options)) {
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

async function graphClosure(store: LocalStore, paths: readonly string[], options: BuilderEnvironmentOptions): Promise<readonly StorePath[]> {
  const starts = paths.map((text) => {
    if (text.startsWith(`${store.storeDir}/`)) return splitStorePath(text, store.storeDir).path;
    throw badGraph(`"exportReferencesGraph" names "${text}", which is not in the store`, { words: `path '${text}' is not in the Nix store` });
  });
  for (const path of starts) {
    if (!options.inputs.has(path)) throw badGraph(`"exportReferencesGraph" names "${formatStorePath(path, store.storeDir)}", which is not in the closure of the inputs`, { path: formatStorePath(path, store.storeDir) });
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
