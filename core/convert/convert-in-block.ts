import type { ConcreteExpression } from "./concrete-syntax.ts";
import type { Converter, Place } from "./converter.ts";
import { Strength, type Printed } from "./printed.ts";

/** What needs statements, where an expression stands: a function that is called at once. */
export function convertInBlock(converter: Converter, e: ConcreteExpression, place: Place): Printed {
  return { layout: ["(() => ", converter.block(e, place).layout, ")()"], strength: Strength.postfix };
}
