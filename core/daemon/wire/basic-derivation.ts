import type { Derivation, DerivationOutput } from "../../derivation/derivation.ts";
import { derivationOutputPaths } from "../../derivation/derivation-output-paths.ts";
import { formatHash, parseHash } from "../../hash/hash.ts";
import { formatMethodAndAlgorithm, parseMethodAndAlgorithm } from "../../store-path/content-address.ts";
import { formatStorePath, parseStorePath, storePathName, type StorePath } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import { unreachable } from "../../util/unreachable.ts";
import { readPaths, writePaths } from "./path-codec.ts";
import { protocolError, type WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** A derivation whose inputs are all plain paths, as it is sent to be built. Nix: libstore/derivations.cc. */
export async function readBasicDerivation(reader: WireReader, drvPath: StorePath, storeDir: string): Promise<Derivation> {
  const name = storePathName(drvPath).replace(/\.drv$/, "");
  const outputs = await reader.map(async () => parseOutput(await reader.string(), await reader.string(), await reader.string(), storeDir));
  const inputSources = new Set(await readPaths(reader, storeDir));
  const platform = await reader.string();
  const builder = await reader.string();
  const args = await reader.strings();
  const env = await reader.map((): Promise<ByteString> => reader.string());
  return { name, outputs, inputDerivations: new Map(), inputSources, platform, builder, args, env };
}

/** @param inputs all that its builder needs: input sources and the outputs of input derivations */
export function writeBasicDerivation(writer: WireWriter, derivation: Derivation, inputs: Iterable<StorePath>, storeDir: string): void {
  const paths = derivationOutputPaths(derivation, storeDir);
  const outputs = [...derivation.outputs].sort(([a], [b]) => (a < b ? -1 : 1));
  writer.list(outputs, ([name, output]) => {
    const path = paths.get(name);
    const [methodAndAlgorithm, hash] = describe(output);
    writer.string(name).string(path === undefined ? "" : formatStorePath(path, storeDir)).string(methodAndAlgorithm).string(hash);
  });
  writePaths(writer, inputs, storeDir);
  writer.string(derivation.platform).string(derivation.builder).strings(derivation.args);
  writer.list([...derivation.env].sort(([a], [b]) => (a < b ? -1 : 1)), ([key, value]) => writer.string(key).string(value));
}

function describe(output: DerivationOutput): readonly [string, string] {
  switch (output.kind) {
    case "input-addressed":
    case "deferred":
      return ["", ""];
    case "fixed":
      return [formatMethodAndAlgorithm(output.contentAddress.method, output.contentAddress.hash.algorithm), formatHash(output.contentAddress.hash, "base16")];
    case "floating":
      return [formatMethodAndAlgorithm(output.method, output.algorithm), ""];
    case "impure":
      return [formatMethodAndAlgorithm(output.method, output.algorithm), "impure"];
    default:
      return unreachable(output);
  }
}

function parseOutput(path: string, methodAndAlgorithm: string, hash: string, storeDir: string): DerivationOutput {
  if (methodAndAlgorithm === "") {
    if (hash !== "") throw protocolError(`the hash "${hash}" stands without an algorithm`);
    return path === "" ? { kind: "deferred" } : { kind: "input-addressed", path: parseStorePath(path, storeDir) };
  }
  const { method, algorithm } = parseMethodAndAlgorithm(methodAndAlgorithm);
  if (hash === "impure") return { kind: "impure", method, algorithm };
  // What path it claims does not matter: the hash makes it.
  if (hash !== "") return { kind: "fixed", contentAddress: { method, hash: parseHash(hash, algorithm) } };
  return { kind: "floating", method, algorithm };
}
