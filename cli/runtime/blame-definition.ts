import { CONFIG_SCRIPT } from "../../core/config/protocol.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { isPackage, type OptionsView } from "../../core/index.ts";
import { formatOptionPath } from "../../core/option/option-path.ts";
import { isOptionView } from "./option-value.ts";

// Of packages and what they are made from: these are computed when tsos asks for the toplevel's derivation, long
// after the user's own code has run.
const LATE = /^(package|store-path|hash|derivation|content-address)\./;

/**
 * An error of a package or a text, with the user's own definition that holds it: neither knows which option it is
 * a value of.
 */
export function blameDefinition(error: unknown, options: OptionsView | undefined): unknown {
  if (!(error instanceof TsosError) || options === undefined || !LATE.test(error.code) || "definitions" in error.data) return error;
  try {
    const found = findIn(options, error);
    if (found === undefined) return error;
    const { code, message, hint, at, related, data, cause } = error;
    const blamed = new TsosError({ code, message: `the option "${formatOptionPath(found.optionPath)}": ${message}`, hint, at, related, data: { ...data, ...found }, cause });
    if (error.stack !== undefined) blamed.stack = error.stack;
    return blamed;
  } catch {
    // What is looked through is what failed.
    return error;
  }
}

type Found = { readonly optionPath: readonly string[]; readonly definitions: readonly unknown[] };

function findIn(view: OptionsView, error: TsosError): Found | undefined {
  for (const child of Object.values(view)) {
    if (child === undefined) continue;
    if (!isOptionView(child)) {
      const found = findIn(child, error);
      if (found !== undefined) return found;
      continue;
    }
    for (const { value, site } of child.allDefinitions) {
      const { label, file, stack } = site.module;
      if (stack?.includes(CONFIG_SCRIPT) !== true) continue;
      const inner = findInside(value, error, 0);
      if (inner !== undefined) return { optionPath: [...child.path, ...inner], definitions: [{ module: label, file, stack, path: [...site.path, ...inner] }] };
    }
  }
  return undefined;
}

/** The way into a value to what is to blame for an error. */
function findInside(value: unknown, error: TsosError, depth: number): readonly string[] | undefined {
  if (typeof value === "string") {
    const { path } = error.data;
    return typeof path === "string" && value.includes(path) ? [] : undefined;
  }
  if (isPackage(value)) return failsAlike(() => value.drvPath, error) ? [] : undefined;
  if (typeof value !== "object" || value === null || depth > 20) return undefined;
  const isList = Array.isArray(value);
  for (const [name, item] of Object.entries(value)) {
    const inner = findInside(item, error, depth + 1);
    if (inner !== undefined) return [isList ? `[${name}]` : name, ...inner];
  }
  return undefined;
}

function failsAlike(compute: () => unknown, error: TsosError): boolean {
  try {
    compute();
    return false;
  } catch (other) {
    return other instanceof TsosError && other.code === error.code && other.message === error.message;
  }
}
