import type { Derivation } from "../derivation/derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { structuredAttributesOf } from "./derivation-attributes.ts";
import { jsonOf } from "./json-of.ts";
import { discardsReferences, findOutputCheck, outputsWithChecks } from "./reference-checks.ts";
import { parseReferenceGraphs } from "./reference-graphs.ts";

const BOOLEANS = ["__noChroot", "preferLocalBuild", "allowSubstitutes"] as const;
const LISTS = ["__impureHostDeps", "impureEnvVars", "requiredSystemFeatures"] as const;

/**
 * What a derivation says of its outputs and of how it is built is read before anything is built. Nix: libstore/derivation-options.cc
 *
 * @throws TsosError `build.bad-attribute`, `build.bad-reference-graph`, with `data.derivation`
 */
export function checkAttributes(path: StorePath, derivation: Derivation, storeDir: string): void {
  try {
    for (const output of outputsWithChecks(derivation)) findOutputCheck(derivation, output);
    for (const output of derivation.outputs.keys()) discardsReferences(derivation, output);
    parseReferenceGraphs(derivation, storeDir);
    const attributes = structuredAttributesOf(derivation) ?? {};
    for (const name of LISTS) if (attributes[name] !== undefined) for (const item of jsonOf(attributes[name], name, "array", { quote: '"' })) jsonOf(item, name, "string", { quote: '"' });
    for (const name of BOOLEANS) if (attributes[name] !== undefined) jsonOf(attributes[name], name, "boolean", { quote: '"' });
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
    const shown = formatStorePath(path, storeDir);
    throw new TsosError({ code: error.code, message: `"${shown}" cannot be built: ${error.message}`, hint: error.hint, data: { ...error.data, derivation: shown } });
  }
}
