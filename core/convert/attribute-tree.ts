import { fromByteString, type ByteString } from "../util/bytes.ts";
import { bare, type ConcreteAttributes, type ConcreteBinding, type ConcreteExpression, type ConcreteName } from "./concrete-syntax.ts";
import { freeVariables } from "./scope.ts";

/** One property of an object: several `a.b = …` and `a = { … }` of one set are one. */
export type AttributeEntry = {
  readonly name: ConcreteName;
  /** What it is bound to, or what is inside. */
  readonly value: ConcreteExpression | AttributeEntry[] | { readonly kind: "inherited"; readonly from: ConcreteExpression | undefined };
  /** Where its comments are: the binding, or the name in an `inherit`. */
  readonly items: { readonly start: number; readonly end: number }[];
  /** Written out as sets of their own, whose last comments are still to come. */
  readonly sets: ConcreteAttributes[];
};

/** The bindings of a set that is not recursive, as an object nests them; each stands where its first part stood. */
export function attributeTree(bindings: readonly ConcreteBinding[]): AttributeEntry[] {
  const root: AttributeEntry[] = [];
  addBindings(root, bindings);
  return root;
}

function addBindings(into: AttributeEntry[], bindings: readonly ConcreteBinding[]): void {
  for (const binding of bindings) {
    if (binding.kind === "inherit") {
      binding.names.forEach((one, index) => {
        into.push({ name: { kind: "static", ...one }, value: { kind: "inherited", from: binding.from }, items: index === 0 ? [binding] : [], sets: [] });
      });
      continue;
    }
    addPath(into, binding.path, binding.value, binding);
  }
}

function addPath(into: AttributeEntry[], path: readonly ConcreteName[], value: ConcreteExpression, item: { readonly start: number; readonly end: number }): void {
  const [name, ...rest] = path as [ConcreteName, ...ConcreteName[]];
  const plain = bare(value);
  const set = rest.length === 0 && plain.kind === "attributes" && !plain.recursive ? plain : undefined;
  const existing = name.kind === "static" ? into.find((entry) => entry.name.kind === "static" && entry.name.name === name.name) : undefined;
  if (existing !== undefined && Array.isArray(existing.value)) {
    if (set !== undefined) {
      // What was before the braces is now before the first thing in them.
      existing.items.push(item);
      existing.sets.push(set);
      addBindings(existing.value, set.bindings);
    } else addPath(existing.value, rest, value, item);
    return;
  }
  const inner: AttributeEntry[] = [];
  if (rest.length > 0) {
    addPath(inner, rest, value, item);
    into.push({ name, value: inner, items: [], sets: [] });
  } else if (set !== undefined) {
    addBindings(inner, set.bindings);
    into.push({ name, value: inner, items: [item], sets: [set] });
  } else into.push({ name, value, items: [item], sets: [] });
}

/** As it is written in Nix, for messages. */
export function showPath(path: readonly ConcreteName[]): string {
  return path.map((name) => (name.kind === "static" ? fromByteString(name.name) : "${…}")).join(".");
}

export function isEntries(value: AttributeEntry["value"]): value is AttributeEntry[] {
  return Array.isArray(value);
}

export function firstItem(entry: AttributeEntry): { readonly start: number; readonly end: number } | undefined {
  return entry.items[0] ?? (isEntries(entry.value) && entry.value[0] !== undefined ? firstItem(entry.value[0]) : undefined);
}

export function freeOfEntry(entry: AttributeEntry): ReadonlySet<ByteString> {
  if (isEntries(entry.value)) return new Set(entry.value.flatMap((inner) => [...(inner.name.kind === "dynamic" ? freeVariables(inner.name.expression) : []), ...freeOfEntry(inner)]));
  if (entry.value.kind !== "inherited") return freeVariables(entry.value);
  return entry.value.from === undefined ? new Set(entry.name.kind === "static" ? [entry.name.name] : []) : freeVariables(entry.value.from);
}
