import { TsosError } from "../error/tsos-error.ts";

type JsonKinds = { readonly object: Readonly<Record<string, unknown>>; readonly array: readonly unknown[]; readonly string: string; readonly number: number; readonly boolean: boolean };

/**
 * A value of structured attributes that must be of a kind.
 *
 * @param options `quote`: what stands around the attribute's name in the reference's words; `isBare`: those do not name it
 * @throws TsosError `build.bad-attribute`
 */
export function jsonOf<K extends keyof JsonKinds>(value: unknown, attribute: string, kind: K, { quote = "'", isBare = false }: { readonly quote?: string; readonly isBare?: boolean } = {}): JsonKinds[K] {
  const actual = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  if (actual === kind) return value as JsonKinds[K];
  throw new TsosError({
    code: "build.bad-attribute",
    message: `the attribute "${attribute}" is ${JSON.stringify(value)}, expected ${kind === "array" || kind === "object" ? "an" : "a"} ${kind}`,
    data: { attribute, expected: kind, actual, value, shown: isBare ? undefined : `${quote}${attribute}${quote}` },
  });
}
