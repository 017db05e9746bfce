import { createOptionType, describePart } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";

/** A type that also takes another one's definitions, turned into its own by `coerce`. */
export function coercedTo<From, FromDefinition, Value, Definition>(
  from: OptionType<From, FromDefinition>,
  coerce: (value: From) => Definition,
  to: OptionType<Value, Definition>,
): OptionType<Value, Definition | FromDefinition> {
  // `check` is the proof that the definition is what `coerce` takes.
  const coerced = (value: unknown): unknown => (from.check(value) ? coerce(value as From) : value);
  return createOptionType({
    name: "coercedTo",
    description: () => `${describePart(to, ["noun"])} or ${describePart(from, ["noun"])} convertible to it`,
    descriptionClass: "conjunction",
    check: (value) => (from.check(value) && to.check(coerced(value))) || to.check(value),
    merge: (place, definitions) =>
      to.merge(place, definitions.map((definition) => ({ ...definition, value: coerced(definition.value) }))),
    schema: () => to.schema(),
    printType: () => to.printType(),
    emptyValue: to.emptyValue,
    nested: [from, to],
    subModules: () => to.subModules,
    withSubModules: (modules) => coercedTo(from, coerce, to.withSubModules(modules) as OptionType<Value, Definition>),
    // Two conversions cannot be told to be the same one.
    mergeType: () => undefined,
  });
}
