import { definedMoreThanOnce } from "../option-errors.ts";
import { createOptionType } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";

/** The type, but only one module may define it; `message` says why. */
export function unique<Value, Definition>(
  { message }: { readonly message: string },
  element: OptionType<Value, Definition>,
): OptionType<Value, Definition> {
  return createOptionType({
    name: "unique",
    description: () => element.description,
    descriptionClass: element.descriptionClass,
    check: (value) => element.check(value),
    merge: (place, definitions) => {
      if (definitions.length > 1) throw definedMoreThanOnce(place, definitions, message);
      return element.merge(place, definitions);
    },
    schema: () => element.schema(),
    printType: () => element.printType(),
    emptyValue: element.emptyValue,
    nested: [element],
    subModules: () => element.subModules,
    withSubModules: (modules) => unique({ message }, element.withSubModules(modules)),
    mergeType: (other) => {
      const merged = other.nested[0] === undefined ? undefined : element.mergeType(other.nested[0]);
      return merged === undefined ? undefined : unique({ message }, merged);
    },
  });
}

/** The type, but only one module may define it. */
export function uniq<Value, Definition>(element: OptionType<Value, Definition>): OptionType<Value, Definition> {
  return unique({ message: "" }, element);
}
