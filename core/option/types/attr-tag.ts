import * as z from "zod/mini";
import { childPlace } from "../merge-place.ts";
import type { Definable } from "../modifier.ts";
import { conflict } from "../option-errors.ts";
import { createOptionType } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";
import { joinOptions } from "../option.ts";
import type { Option, OptionDefinition, OptionValue } from "../option.ts";
import { setProperty } from "../plain-object.ts";
import { isSetLike } from "./set-like.ts";
import { groupByName } from "./attrs-of.ts";

type Tags = { readonly [tag: string]: Option };
type TagValue<T extends Tags> = { readonly [K in keyof T]: { readonly [P in K]: OptionValue<T[K]> } }[keyof T];
type TagDefinition<T extends Tags> = { readonly [K in keyof T]: { readonly [P in K]: Definable<OptionDefinition<T[K]>> } }[keyof T];

/**
 * An object of exactly one property, whose name says which type the value has.
 * @example
 * types.attrTag({ file: option(types.path), text: option(types.str) })  // { file: "/etc/x" } or { text: "x" }
 */
export function attrTag<const T extends Tags>(tags: T): OptionType<TagValue<T>, TagDefinition<T>> {
  const names = Object.keys(tags);
  return createOptionType<TagValue<T>, TagDefinition<T>>({
    name: "attrTag",
    payload: tags,
    description: `set of one of ${names.join(", ")}`,
    check: (value) => isSetLike(value) && Object.keys(value).length === 1 && Object.hasOwn(tags, Object.keys(value)[0]!),
    merge: (place, definitions) => {
      const groups = [...groupByName(definitions)];
      const [tag, group] = groups[0]!;
      if (groups.length > 1) throw conflict(place, definitions, `they have different names: ${groups.map(([name]) => name).join(", ")}`);
      const result: Record<string, unknown> = {};
      setProperty(result, tag, place.context.mergeDeclared({ ...childPlace(place, tag), isAlternative: true }, tags[tag]!, group));
      return Object.freeze(result);
    },
    schema: () => z.union(names.map((name) => z.strictObject({ [name]: tags[name]!.type.schema() }))),
    printType: () => names.map((name) => `{ readonly ${name}: ${tags[name]!.type.printType()} }`).join(" | "),
    nested: names.map((name) => tags[name]!.type),
    mergeType: (other) => {
      // Types of this name carry this payload.
      const more = other.payload as Tags;
      const both: Record<string, Option> = { ...tags, ...more };
      for (const name of names) {
        if (!Object.hasOwn(more, name)) continue;
        const merged = joinOptions(tags[name]!, more[name]!);
        if (merged === undefined) return undefined;
        both[name] = merged;
      }
      return attrTag(both);
    },
  });
}
