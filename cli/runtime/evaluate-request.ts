import type { EvaluationRequest, EvaluationResult, InstantiationData } from "../../core/config/protocol.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { isPackage, type EvaluationRegistry, type Package } from "../../core/index.ts";
import { createPackages } from "../../pkgs/index.ts";
import { describeDerivation } from "./derivation-result.ts";
import type { EvaluationHost } from "./isolate-main.ts";

export type RequestContext = {
  readonly definition: unknown;
  readonly request: EvaluationRequest;
  readonly registry: EvaluationRegistry;
  readonly host: EvaluationHost;
};

export type RequestOutcome = { readonly result: EvaluationResult; readonly instantiation: InstantiationData; readonly warnings: readonly string[] };

/** Answers one request about a configuration. */
export function evaluateRequest(context: RequestContext): RequestOutcome {
  const { request, registry } = context;
  const pkgs = createPackages(registry);
  switch (request.kind) {
    case "package": {
      const found = findPackage(pkgs, request.name);
      const result = { ...describeDerivation(found), mainProgram: found.meta.mainProgram };
      return { result: { kind: "package", package: result }, instantiation: registry.instantiation([found.drvPath]), warnings: [] };
    }
    default:
      throw new TsosError({ code: "config.later", message: "later" });
  }
}

function findPackage(pkgs: object, name: string): Package {
  let value: unknown = pkgs;
  for (const part of name.split(".")) value = typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined;
  if (!isPackage(value)) throw new TsosError({ code: "config.not-a-package", message: `"pkgs.${name}" is not a package`, hint: "tsos pkg search lists the packages" });
  return value;
}
