import { TsosError } from "../error/tsos-error.ts";
import { parseSriHash, formatHash } from "../hash/hash.ts";
import { parseHashAlgorithm } from "../hash/hash-algorithm.ts";
import { checkMethodAlgorithm, checkMethodHash, parseContentAddressMethod } from "../store-path/content-address.ts";
import { parseStorePathBaseName, type StorePath } from "../store-path/store-path.ts";
import { fromByteString, toByteString, type ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { unreachable } from "../util/unreachable.ts";
import type { Derivation, DerivationOutput, DynamicInput } from "./derivation.ts";

/** Version 4 of Nix's JSON form of a derivation, as `nix derivation show` of 2.34 prints it. */
export const DERIVATION_JSON_VERSION = 4;

/** In a derivation's environment: all its attributes as one JSON text. */
const STRUCTURED_ATTRIBUTES = "__json";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/**
 * Store paths stand without their folder. The strings are Unicode here.
 *
 * @throws TypeError when a string of the derivation is not UTF-8, which JSON cannot hold.
 */
export function derivationToJson(derivation: Derivation): JsonObject {
  const structured = derivation.env.get(STRUCTURED_ATTRIBUTES);
  const env: [string, Json][] = [];
  for (const [key, value] of sorted(derivation.env)) {
    if (key !== STRUCTURED_ATTRIBUTES) env.push([fromByteString(key), fromByteString(value)]);
  }
  return {
    args: derivation.args.map(fromByteString),
    builder: fromByteString(derivation.builder),
    env: Object.fromEntries(env),
    inputs: {
      drvs: Object.fromEntries(
        sorted(derivation.inputDerivations).map(([path, outputs]) => [
          path,
          inputToJson({ outputs, dynamicOutputs: derivation.dynamicInputs?.get(path) ?? new Map() }),
        ]),
      ),
      srcs: [...derivation.inputSources].sort(compareByteStrings),
    },
    name: derivation.name,
    outputs: Object.fromEntries(sorted(derivation.outputs).map(([outputName, output]) => [outputName, derivationOutputToJson(output)])),
    ...(structured === undefined ? {} : { structuredAttrs: JSON.parse(fromByteString(structured)) as Json }),
    system: fromByteString(derivation.platform),
    version: DERIVATION_JSON_VERSION,
  };
}

export function derivationOutputToJson(output: DerivationOutput): JsonObject {
  switch (output.kind) {
    case "input-addressed":
      return { path: output.path };
    case "fixed":
      return { hash: formatHash(output.contentAddress.hash, "sri"), method: output.contentAddress.method };
    case "floating":
      return { hashAlgo: output.algorithm, method: output.method };
    case "impure":
      return { hashAlgo: output.algorithm, impure: true, method: output.method };
    case "deferred":
      return {};
    default:
      return unreachable(output);
  }
}

function inputToJson(node: DynamicInput): JsonObject {
  return {
    dynamicOutputs: Object.fromEntries(sorted(node.dynamicOutputs).map(([outputName, child]) => [outputName, inputToJson(child)])),
    outputs: [...node.outputs].sort(compareByteStrings),
  };
}

/** @throws TsosError `derivation.malformed-json` with the path in the document. */
export function derivationFromJson(json: Json): Derivation {
  const root = object(json, "");
  if (root["version"] !== DERIVATION_JSON_VERSION) {
    throw malformed("/version", `${JSON.stringify(root["version"])}, expected ${DERIVATION_JSON_VERSION}`);
  }
  const inputs = object(root["inputs"], "/inputs");
  const inputDerivations = new Map<StorePath, ReadonlySet<string>>();
  const dynamicInputs = new Map<StorePath, ReadonlyMap<string, DynamicInput>>();
  for (const [path, node] of Object.entries(object(inputs["drvs"], "/inputs/drvs"))) {
    const input = inputFromJson(node, `/inputs/drvs/${path}`);
    inputDerivations.set(parseStorePathBaseName(path), input.outputs);
    if (input.dynamicOutputs.size > 0) dynamicInputs.set(parseStorePathBaseName(path), input.dynamicOutputs);
  }
  const env = new Map<ByteString, ByteString>();
  for (const [key, value] of Object.entries(object(root["env"], "/env"))) env.set(toByteString(key), toByteString(string(value, `/env/${key}`)));
  const structured = root["structuredAttrs"];
  if (structured !== undefined) env.set(STRUCTURED_ATTRIBUTES, toByteString(stringifySorted(structured)));
  const outputs = new Map<string, DerivationOutput>();
  for (const [outputName, output] of Object.entries(object(root["outputs"], "/outputs"))) {
    outputs.set(outputName, derivationOutputFromJson(output, `/outputs/${outputName}`));
  }
  const derivation: Derivation = {
    name: string(root["name"], "/name"),
    outputs,
    inputDerivations,
    inputSources: new Set(strings(inputs["srcs"], "/inputs/srcs").map((path) => parseStorePathBaseName(path))),
    platform: toByteString(string(root["system"], "/system")),
    builder: toByteString(string(root["builder"], "/builder")),
    args: strings(root["args"], "/args").map(toByteString),
    env,
  };
  return dynamicInputs.size === 0 ? derivation : { ...derivation, dynamicInputs };
}

export function derivationOutputFromJson(json: Json | undefined, at = ""): DerivationOutput {
  const output = object(json, at);
  if (output["path"] !== undefined) return { kind: "input-addressed", path: parseStorePathBaseName(string(output["path"], `${at}/path`)) };
  if (output["method"] === undefined) return { kind: "deferred" };
  const method = parseContentAddressMethod(string(output["method"], `${at}/method`));
  if (output["hash"] !== undefined) {
    return { kind: "fixed", contentAddress: { method, hash: checkMethodHash(method, parseSriHash(string(output["hash"], `${at}/hash`))) } };
  }
  const algorithm = parseHashAlgorithm(string(output["hashAlgo"], `${at}/hashAlgo`));
  checkMethodAlgorithm(method, algorithm);
  return { kind: output["impure"] === true ? "impure" : "floating", method, algorithm };
}

function inputFromJson(json: Json | undefined, at: string): DynamicInput {
  const node = object(json, at);
  const dynamicOutputs = new Map<string, DynamicInput>();
  for (const [outputName, child] of Object.entries(object(node["dynamicOutputs"] ?? {}, `${at}/dynamicOutputs`))) {
    dynamicOutputs.set(outputName, inputFromJson(child, `${at}/dynamicOutputs/${outputName}`));
  }
  return { outputs: new Set(strings(node["outputs"], `${at}/outputs`)), dynamicOutputs };
}

/** As Nix writes structured attributes into the environment: compact, keys sorted by bytes. */
function stringifySorted(json: Json): string {
  if (Array.isArray(json)) return `[${json.map(stringifySorted).join(",")}]`;
  if (typeof json !== "object" || json === null) return JSON.stringify(json);
  const fields = Object.entries(json).map(([key, value]): [string, string] => [toByteString(key), `${JSON.stringify(key)}:${stringifySorted(value)}`]);
  return `{${fields.sort((a, b) => compareByteStrings(a[0], b[0])).map(([, field]) => field).join(",")}}`;
}

function sorted<K extends string, V>(map: ReadonlyMap<K, V>): readonly (readonly [K, V])[] {
  return [...map].sort((a, b) => compareByteStrings(a[0], b[0]));
}

function object(json: Json | undefined, at: string): JsonObject {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw malformed(at, `${JSON.stringify(json)}, expected an object`);
  return json as JsonObject;
}

function string(json: Json | undefined, at: string): string {
  if (typeof json !== "string") throw malformed(at, `${JSON.stringify(json)}, expected a string`);
  return json;
}

function strings(json: Json | undefined, at: string): readonly string[] {
  if (!Array.isArray(json)) throw malformed(at, `${JSON.stringify(json)}, expected a list of strings`);
  return json.map((item: Json, index) => string(item, `${at}/${index}`));
}

function malformed(at: string, problem: string): TsosError {
  return new TsosError({ code: "derivation.malformed-json", message: `derivation in JSON, at "${at === "" ? "/" : at}": ${problem}`, data: { at } });
}
