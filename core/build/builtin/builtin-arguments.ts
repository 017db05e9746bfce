import { TsosError } from "../../error/tsos-error.ts";
import type { BuiltinBuildContext } from "../builtin-builder.ts";

/** The variable `name` of the derivation. @throws TsosError `builtin.missing-argument` */
export function getArgument(context: BuiltinBuildContext, name: string): string {
  const value = context.env.get(name);
  if (value !== undefined && value !== "") return value;
  throw new TsosError({
    code: "builtin.missing-argument",
    message: `attribute '${name}' missing`,
    hint: `builtin:${context.name} needs it of the derivation "${context.derivation.name}"`,
    data: { builder: context.name, argument: name },
  });
}

/** A variable that holds JSON, or `fallback` where it is not set. @throws TsosError `builtin.bad-argument` */
export function jsonArgument<T>(context: BuiltinBuildContext, name: string, shape: Shape<T>, fallback: T): T {
  const text = context.env.get(name);
  if (text === undefined || text === "") return fallback;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badArgument(context, name, "not JSON", cause);
  }
  if (shape.test(value)) return value;
  throw badArgument(context, name, `expected ${shape.name}`);
}

/** Store paths on disk, from a JSON list. */
export function pathsArgument(context: BuiltinBuildContext, name: string): string[] {
  return jsonArgument(context, name, stringList, []).map((path) => context.resolvedPath(path));
}

/** The place on disk of the derivation's only output. */
export function outputPath(context: BuiltinBuildContext): string {
  const out = context.outputs.get("out");
  if (out !== undefined && context.outputs.size === 1) return out;
  throw new TsosError({
    code: "builtin.bad-outputs",
    message: `the derivation "${context.derivation.name}" has the outputs ${[...context.outputs.keys()].join(", ")}, expected "out" alone for builtin:${context.name}`,
  });
}

/** What JSON may look like, and how that is called. */
export type Shape<T> = { readonly name: string; readonly test: (value: unknown) => value is T };

export const stringList: Shape<readonly string[]> = { name: "a list of strings", test: isStringList };
export const stringRecord: Shape<Readonly<Record<string, string>>> = { name: "an object of strings", test: isStringRecord };
export const stringListRecord: Shape<Readonly<Record<string, readonly string[]>>> = {
  name: "an object of lists of strings",
  test: (value): value is Readonly<Record<string, readonly string[]>> => isRecord(value) && Object.values(value).every(isStringList),
};

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

export function isStringRecord(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((item) => typeof item === "string");
}

function badArgument(context: BuiltinBuildContext, name: string, reason: string, cause?: unknown): TsosError {
  return new TsosError({
    code: "builtin.bad-argument",
    message: `"${name}" of the derivation "${context.derivation.name}" is not what builtin:${context.name} takes: ${reason}`,
    data: { builder: context.name, argument: name },
    cause,
  });
}
