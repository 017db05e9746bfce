import type { Config } from "../../core/index.ts";
import type { EvaluatedModules } from "../../core/option/evaluate-modules.ts";
import { specialisationModules } from "../../modules/system/specialisation.ts";
import { vmVariantModules } from "../../modules/virtualisation/vm-variant.ts";

/** What of a path is inside a variant of the configuration; undefined where it leads into none. */
export function pathInVariant(path: readonly string[]): readonly string[] | undefined {
  if (path[0] === "specialisation" && path[2] === "configuration") return path.slice(3);
  return path[0] === "virtualisation" && path[1] === "vmVariant" ? path.slice(2) : undefined;
}

/** The variant that a path leads into, evaluated, and the rest of the path. */
export function findVariant(tree: EvaluatedModules<unknown>, path: readonly string[]): { readonly variant: EvaluatedModules<unknown>; readonly rest: readonly string[] } | undefined {
  const rest = pathInVariant(path);
  if (rest === undefined) return undefined;
  // Only a machine has options of these names; a shell that declares them has no variants.
  const { specialisation, virtualisation } = tree.config as Partial<Pick<Config, "specialisation" | "virtualisation">>;
  if (path[0] === "virtualisation") return virtualisation === undefined ? undefined : { variant: tree.extendModules(vmVariantModules(virtualisation.vmVariant)), rest };
  const one = specialisation?.[path[1]!];
  return one === undefined ? undefined : { variant: tree.extendModules(specialisationModules(one)), rest };
}
