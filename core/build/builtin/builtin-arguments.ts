import { z } from "zod";
import { TsosError } from "../../error/tsos-error.ts";
import type { BuiltinBuildContext } from "../builtin-builder.ts";

/** The variable `name` of the derivation. @throws TsosError `builtin.missing-argument` */
export function getArgument(context: BuiltinBuildContext, name: string): string {
  const value = context.env.get(name);
  if (value !== undefined && value !== "") return value;
  throw new TsosError({
    code: "builtin.missing-argument",
    message: `the derivation "${context.derivation.name}" has no "${name}", which builtin:${context.name} needs`,
    data: { builder: context.name, argument: name },
  });
}

/** A variable that holds JSON, or `fallback` where it is not set. @throws TsosError `builtin.bad-argument` */
export function jsonArgument<T>(context: BuiltinBuildContext, name: string, schema: z.ZodType<T>, fallback: T): T {
  const text = context.env.get(name);
  if (text === undefined || text === "") return fallback;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badArgument(context, name, "not JSON", cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw badArgument(context, name, z.prettifyError(parsed.error), parsed.error);
}

/** Store paths on disk, from a JSON list. */
export function pathsArgument(context: BuiltinBuildContext, name: string): string[] {
  return jsonArgument(context, name, z.array(z.string()), []).map((path) => context.realPath(path));
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

export const stringList = z.array(z.string());
export const stringRecord = z.record(z.string(), z.string());

function badArgument(context: BuiltinBuildContext, name: string, reason: string, cause: unknown): TsosError {
  return new TsosError({
    code: "builtin.bad-argument",
    message: `"${name}" of the derivation "${context.derivation.name}" is not what builtin:${context.name} takes: ${reason}`,
    data: { builder: context.name, argument: name },
    cause,
  });
}
