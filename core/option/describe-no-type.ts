/** What was written where a type is needed, and what to write instead. */
export function describeNoType(value: unknown): string {
  if (typeof value === "function") return "a function: call it with what it is made of, as in types.listOf(types.str)";
  if (value === undefined) return "undefined: there is no type of that name";
  return typeof value === "string" ? JSON.stringify(value) : value === null ? "null" : `a value of type ${typeof value}`;
}
