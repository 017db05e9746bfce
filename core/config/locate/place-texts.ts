import { relative } from "node:path";
import type { SourcePosition } from "../../error/source-position.ts";
import { findDefinitionPlaces } from "../definition-place.ts";
import { CONFIG_SCRIPT, RUNTIME_SCRIPT } from "../protocol.ts";
import { findSitePlaces, samePlace, sitesIn } from "./error-sites.ts";
import type { LocateContext, ScriptPlaces } from "./script-places.ts";
import { readOptionPath } from "./split-assertions.ts";

/** Puts places in files where the isolate's texts name modules by their places in its scripts. */
export function createTextPlacer(context: LocateContext, scripts: ScriptPlaces) {
  /** Labels of modules are places in the bundle; people know their files. */
  const withPlaces = (text: string): string =>
    text.replace(/tsos:\w+:\d+:\d+/g, (label) => {
      const at = scripts.frame(label);
      if (at === undefined) return "tsos";
      // tsos's own modules are called by what they are: their files are not the user's.
      const own = /\/(modules\/.*)\.ts$/.exec(at.file);
      return label.startsWith(RUNTIME_SCRIPT) ? `tsos:${own?.[1] ?? "core"}` : `${relative(context.project, at.file)}:${at.line}:${at.column}`;
    });

  /** The same; where a text says which option a module defines, the place is that of the definition. */
  const withDefinitionPlaces = async (text: string): Promise<string> => {
    const match = /the option "(.+?)" \(((?:tsos:config:\d+:\d+(?:, )?)+)\)/.exec(text);
    const path = match === null ? undefined : readOptionPath(match[1]!);
    if (match === null || path === undefined) return withPlaces(text);
    const places = await Promise.all(match[2]!.split(", ").map(async (label) => {
      const module = scripts.frame(label);
      const found = module === undefined ? [] : await findDefinitionPlaces({ module, path });
      return found.length === 0 ? withPlaces(label) : found.map(({ name }) => `${relative(context.project, name.file)}:${name.line}:${name.column}`).join(", ");
    }));
    return withPlaces(text.replace(match[0], () => `the option "${match[1]!}" (${places.join(", ")})`));
  };

  /** Each definition that a text names by its module, at its own place: `"a" (tsos:config:1:2), "b" (tsos:config:1:2)`. */
  const withSitePlaces = async (text: string, definitions: unknown): Promise<string> => {
    const used: SourcePosition[] = [];
    let placed = text;
    let from = 0;
    for (const definition of Array.isArray(definitions) ? definitions : []) {
      const label = `(${String((definition as { readonly module?: unknown }).module)})`;
      const at = placed.indexOf(label, from);
      const places = at === -1 || !label.startsWith(`(${CONFIG_SCRIPT}:`) ? [] : await findSitePlaces(sitesIn(definition), context, scripts);
      // A module may define it more than once, in the parts of a mkMerge([…]).
      const found = places.find((place) => !used.some((other) => samePlace(place, other))) ?? places[0];
      if (found === undefined) continue;
      used.push(found);
      const shown = `(${relative(context.project, found.file)}:${found.line}:${found.column})`;
      placed = placed.slice(0, at) + shown + placed.slice(at + label.length);
      from = at + shown.length;
    }
    return placed;
  };

  /** The same for each text in an error's data. */
  const inData = (data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
    // A copy of itself, with other texts.
    JSON.parse(JSON.stringify(data, (_key, value: unknown) => (typeof value === "string" ? withPlaces(value) : value))) as Record<string, unknown>;

  return { withDefinitionPlaces, withSitePlaces, inData };
}
