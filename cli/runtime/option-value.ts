import { isPackage, isSecret, type OptionsView, type OptionView } from "../../core/index.ts";
import { isModule } from "../../core/option/module.ts";
import { isOptionType } from "../../core/option/option-type.ts";

/** A value of the tree as JSON: a package is its store path, a function and a secret are described. */
export function valueToJson(value: unknown, depth = 0): unknown {
  if (depth > 100) return "…";
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return String(value);
    case "undefined":
      return null;
    case "symbol":
      return String(value);
    case "function":
      return isPackage(value) ? `${value}` : `<function ${value.name || "anonymous"}>`;
    case "object":
      if (value === null) return null;
      if (isPackage(value)) return `${value}`;
      if (isSecret(value)) return `<secret ${(value as unknown as { readonly file: string }).file}>`;
      if (isModule(value)) return "<module>";
      if (isOptionType(value)) return `<type ${value.description}>`;
      if (Array.isArray(value)) return value.map((item) => valueToJson(item, depth + 1));
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, valueToJson(item, depth + 1)]));
  }
}

export function isOptionView(view: OptionsView | OptionView | undefined): view is OptionView {
  return view !== undefined && view.kind === "option" && Array.isArray(view.path);
}

/** A branch of the tree as JSON, without what is internal and what has no value. */
export function branchToJson(view: OptionsView): Readonly<Record<string, unknown>> {
  const result: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(view)) {
    if (child === undefined) continue;
    if (!isOptionView(child)) {
      const inner = branchToJson(child);
      if (Object.keys(inner).length > 0) result[name] = inner;
    } else if (child.isDefined && !child.internal) {
      result[name] = valueToJson(child.value);
    }
  }
  return result;
}
