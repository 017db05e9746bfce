import { TsosError } from "../error/tsos-error.ts";
import { fromByteString } from "../util/bytes.ts";
import { bare, childrenOf, type ConcreteExpression } from "./concrete-syntax.ts";
import { findSystem } from "./find-system.ts";

/**
 * The error for a `flake.nix`, which is no configuration of a machine: what it calls `nixosSystem` with is. It names the files
 * of the project that are modules there.
 */
export function refuseFlake(file: string, expression: ConcreteExpression): TsosError {
  const modules = new Set<string>();
  const visit = (e: ConcreteExpression): void => {
    const system = e.kind === "call" ? findSystem(e) : undefined;
    const list = system === undefined ? undefined : bare(system.modules);
    for (const element of list?.kind === "list" ? list.elements : []) {
      const module = bare(element);
      if (module.kind === "path" && !module.parts.some(({ kind }) => kind === "expression")) modules.add(fromByteString(module.literal));
    }
    for (const child of childrenOf(e)) visit(child);
  };
  visit(expression);
  const [first] = modules;
  return new TsosError({
    code: "convert.flake",
    message: `"${file}" is a flake, which is used as it is (tsos shell, build, run, check); what is converted are the modules of its machines`,
    hint: first === undefined ? "tsos nix convert configuration.nix; its inputs become defineInputs by hand" : `tsos nix convert ${first.replace(/^\.\//, "")}${modules.size > 1 ? ` (its machines have ${[...modules].join(", ")})` : ""}; inputs and specialArgs of the flake become defineInputs and specialArgs of defineNixosSystem by hand`,
    data: { file, modules: [...modules] },
  });
}
