import type { DerivationResult } from "../../core/config/protocol.ts";
import type { Package } from "../../core/index.ts";

/** A package as it leaves the isolate; asking for it makes its derivation. */
export function describeDerivation(value: Package): DerivationResult {
  const outputs = Object.fromEntries(value.outputs.map((output) => [output, value.output(output).outPath]));
  return { drvPath: value.drvPath, name: value.name, outputs, outputName: value.outputName, outPath: value.outPath };
}
