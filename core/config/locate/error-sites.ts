import { resolve } from "node:path";
import type { SourcePosition } from "../../error/source-position.ts";
import type { RelatedPosition } from "../../error/tsos-error.ts";
import { findDefinitionPlaces, isModulePart, type ModulePart } from "../definition-place.ts";
import { CONFIG_SCRIPT } from "../protocol.ts";
import type { LocateContext, ScriptPlaces } from "./script-places.ts";

/**
 * A definition or declaration as the option system's errors tell of it (`core/option/option-errors.ts`): the
 * stack at which its module was made, and the path of the property in what that returned.
 */
export type Site = {
  readonly file: string | undefined;
  readonly stack: string | undefined;
  readonly path: readonly string[];
  readonly note: string;
  readonly part?: ModulePart | undefined;
};

/** What an error's `data` calls the places that it tells of, and what people read. */
const NOTES: Readonly<Record<string, string>> = { declaredAt: "declared here", input: "declared here", other: "also declared here" };

/** Every definition and declaration that an error's data tells of, in its order. */
export function sitesIn(value: unknown, note = "also defined here", depth = 0): readonly Site[] {
  if (typeof value !== "object" || value === null || depth > 6) return [];
  if ("path" in value && Array.isArray(value.path) && ("stack" in value || "file" in value)) {
    const { file, stack, part: given } = value as { readonly file?: unknown; readonly stack?: unknown; readonly part?: unknown };
    const part = isModulePart(given) ? given : note === NOTES["declaredAt"] ? "options" : undefined;
    return [{ part, file: typeof file === "string" ? file : undefined, stack: typeof stack === "string" ? stack : undefined, path: value.path.map(String), note }];
  }
  return Object.entries(value).flatMap(([key, inner]) => sitesIn(inner, NOTES[key] ?? note, depth + 1));
}

export function withoutStacks(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(data, (key, value: unknown) => (key === "stack" ? undefined : value))) as Record<string, unknown>;
}

/** Where the user's own text has each site. */
export async function findSitePlaces(sites: readonly Site[], { project }: LocateContext, scripts: ScriptPlaces): Promise<readonly RelatedPosition[]> {
  const places: RelatedPosition[] = [];
  for (const { file, stack, path, note, part } of sites) {
    // Where tsos declares something helps who develops tsos; who writes a configuration has the documentation.
    if (note === NOTES["declaredAt"] && stack?.includes(CONFIG_SCRIPT) !== true) continue;
    const made = stack === undefined ? undefined : scripts.modulePlace(stack);
    const explicit = file === undefined ? undefined : { file: resolve(project, file) };
    const start = explicit ?? made;
    if (start === undefined) continue;
    const found = await findDefinitionPlaces({ module: start, path: path.map((name) => name.replace(/^\[(\d+)\]$/, "$1")), part });
    if (found.length > 0) places.push(...found.map(({ name }) => ({ ...name, note })));
    else if (made !== undefined) places.push({ ...made, note });
  }
  return uniquePlaces(places);
}

export function uniquePlaces(places: readonly RelatedPosition[]): readonly RelatedPosition[] {
  return places.filter((place, i) => places.findIndex((other) => samePlace(other, place)) === i);
}

export function samePlace(a: SourcePosition | undefined, b: SourcePosition | undefined): boolean {
  return a?.file === b?.file && a?.line === b?.line && a?.column === b?.column;
}
