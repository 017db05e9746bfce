import { availableParallelism } from "node:os";
import type { Derivation } from "../derivation/derivation.ts";
import { hashByteString } from "../hash/hash.ts";
import { encodeNix32 } from "../hash/nix32.ts";
import type { LocalStore } from "../store/store.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { byteStringToBytes, encodeUtf8, fromByteString, toByteString, type ByteString } from "../util/bytes.ts";
import { derivationList, words } from "./derivation-attributes.ts";
import { jsonGraphs, textGraphs } from "./reference-graphs.ts";
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
    for (const [file, graph] of await textGraphs(store, derivation, options.inputs)) files.set(file, graph);
  } else {
    const text = fromByteString(structured);
    const outputs = Object.fromEntries([...options.outputPaths].map(([name, path]) => [name, formatStorePath(path, store.storeDir)]));
    const additions = { outputs, ...(await jsonGraphs(store, derivation, options.inputs)) };
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

function impureVariables(derivation: Derivation): readonly ByteString[] {
  return derivationList(derivation, "impureEnvVars") ?? [];
}
