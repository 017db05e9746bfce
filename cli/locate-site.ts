import { findDefinitionPlaces } from "../core/config/definition-place.ts";
import type { ModuleDescription, SiteDescription } from "../core/config/option-description.ts";
import type { SourcePosition } from "../core/error/source-position.ts";

/**
 * Where a definition (or with `options` a declaration) stands: the property's own name in the module's text, or
 * where that is computed, the module.
 */
export async function locateSite(modules: readonly ModuleDescription[], site: SiteDescription, part: "config" | "options"): Promise<SourcePosition | undefined> {
  const at = modules[site.module]?.at;
  if (at === undefined) return undefined;
  const path = site.path.map((name) => name.replace(/^\[(\d+)\]$/, "$1"));
  const [place] = await findDefinitionPlaces({ module: at, path, part });
  return place?.name ?? at;
}
