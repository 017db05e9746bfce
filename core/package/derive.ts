import { coerceToEnvironment, coerceToJson, type AttributePlace, type DerivationAttributes } from "./derivation-attributes.ts";
import type { IssuedPath } from "./issued-path.ts";
import type { RecordedDerivation } from "./recorded-derivation.ts";
import type { Derivation, DerivationOutput } from "../derivation/derivation.ts";
import { finishDerivation } from "../derivation/finish-derivation.ts";
import type { HashModuloCache } from "../derivation/hash-modulo-cache.ts";
import { TsosError } from "../error/tsos-error.ts";
import { parseHash } from "../hash/hash.ts";
import { parseHashAlgorithm } from "../hash/hash-algorithm.ts";
import { checkMethodHash, parseContentAddressMethod } from "../store-path/content-address.ts";
import type { StorePath } from "../store-path/store-path.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";

/** Of an evaluation's registry, what a derivation is made with. */
type Registry = {
  readonly storeDir: string;
  scan(text: string, place: AttributePlace, onPath: (issued: IssuedPath) => void): void;
  findDerived(key: string, inputDerivations: Derivation["inputDerivations"], inputSources: Derivation["inputSources"]): RecordedDerivation | undefined;
  record(recorded: RecordedDerivation, key: string): RecordedDerivation;
};

/**
 * The `derivation` primitive: coerces the attributes to an environment as Nix does, makes an input of every
 * store path that they hold, computes the output paths and records the result.
 */
export function deriveFromAttributes(registry: Registry, cache: HashModuloCache, attributes: DerivationAttributes): RecordedDerivation {
  const { name } = attributes;
  if (typeof name !== "string" || name === "") {
    throw new TsosError({ code: "package.bad-attribute", message: `a derivation's name must be a text that is not empty, got "${String(name)}"` });
  }
  const inputDerivations = new Map<StorePath, Set<string>>();
  const inputSources = new Set<StorePath>();
  const take = (text: string, place: AttributePlace): ByteString => {
    registry.scan(text, place, (issued) => {
      if (issued.kind !== "output") {
        inputSources.add(issued.path);
        return;
      }
      const outputs = inputDerivations.get(issued.derivation);
      if (outputs === undefined) inputDerivations.set(issued.derivation, new Set([issued.output]));
      else outputs.add(issued.output);
    });
    return toByteString(text);
  };

  const coerce = (attribute: string, value: unknown): ByteString => {
    const place = { derivation: name, attribute };
    return take(coerceToEnvironment(value, place) ?? "", place);
  };
  const env = new Map<ByteString, ByteString>();
  const structured = attributes.__structuredAttrs === true;
  if (structured) {
    const { __structuredAttrs: _, args: __, ...rest } = attributes;
    const place = { derivation: name, attribute: "__json" };
    env.set("__json", take(JSON.stringify(coerceToJson(rest, place)), place));
  } else {
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "args" || value === null || value === undefined) continue;
      env.set(toByteString(key), coerce(key, value));
    }
  }

  const platform = coerce("system", attributes.system);
  const builder = coerce("builder", attributes.builder);
  const args = (attributes.args ?? []).map((argument) => coerce("args", argument));
  // The outputs and inputs follow from these: settling makes the same derivation in one round after another.
  const key = JSON.stringify([name, attributes.outputs, attributes.outputHash, attributes.outputHashAlgo, attributes.outputHashMode, platform, builder, args, [...env]]);
  const known = registry.findDerived(key, inputDerivations, inputSources);
  if (known !== undefined) return known;
  const { derivation, path, contents, outputPaths } = finishDerivation(
    { name, outputs: describeOutputs(attributes), inputDerivations, inputSources, platform, builder, args, env },
    cache,
    registry.storeDir,
  );
  const outputs = new Map<string, StorePath>();
  for (const [output, outputPath] of outputPaths) if (outputPath !== undefined) outputs.set(output, outputPath);
  return registry.record({ path, derivation, contents, outputs }, key);
}

function describeOutputs(attributes: DerivationAttributes): ReadonlyMap<string, DerivationOutput> {
  const names = attributes.outputs ?? ["out"];
  if (new Set(names).size !== names.length) {
    throw new TsosError({
      code: "package.duplicate-output",
      message: `derivation "${attributes.name}" names an output twice: ${names.map((output) => `"${output}"`).join(", ")}`,
    });
  }
  const { outputHash } = attributes;
  if (outputHash === undefined || outputHash === null) return new Map(names.map((output) => [output, { kind: "deferred" }]));
  if (names.length !== 1 || names[0] !== "out") {
    throw new TsosError({
      code: "package.fixed-with-outputs",
      message: `derivation "${attributes.name}" has an outputHash and the outputs ${names.map((output) => `"${output}"`).join(", ")}, expected only "out"`,
    });
  }
  const algorithm = attributes.outputHashAlgo;
  const hash = parseHash(outputHash, algorithm === undefined || algorithm === "" ? undefined : parseHashAlgorithm(algorithm));
  const method = parseContentAddressMethod(attributes.outputHashMode ?? "flat");
  return new Map([["out", { kind: "fixed", contentAddress: { method, hash: checkMethodHash(method, hash) } }]]);
}
