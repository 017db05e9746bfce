import type { Derivation } from "../derivation/derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import { fromByteString, type ByteString } from "../util/bytes.ts";

/** An attribute, wherever the derivation keeps it: a text, or any value of JSON where attributes are structured. */
export function derivationAttribute(derivation: Derivation, name: string): unknown {
  const structured = structuredAttributesOf(derivation);
  return structured === undefined ? derivation.env.get(name) : structured[name];
}

/** The attributes of a derivation that has structured ones. */
export function structuredAttributesOf(derivation: Derivation): Readonly<Record<string, unknown>> | undefined {
  const structured = derivation.env.get("__json");
  return structured === undefined ? undefined : parseStructuredAttributes(fromByteString(structured));
}

/** @throws TsosError `build.bad-structured-attributes` */
export function parseStructuredAttributes(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TsosError({ code: "build.bad-structured-attributes", message: `"__json" is not JSON: ${(cause as Error).message}`, cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TsosError({ code: "build.bad-structured-attributes", message: `"__json" holds ${JSON.stringify(value)}, expected an object` });
  }
  return value as Record<string, unknown>;
}

/** An attribute that is a list of words, wherever the derivation keeps it; undefined when it is not there. */
export function derivationList(derivation: Derivation, name: string): readonly string[] | undefined {
  const value = derivationAttribute(derivation, name);
  if (typeof value === "string") return words(value);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
}

/** The words of a text, as the reference tells them apart. */
export function words(text: ByteString | undefined): string[] {
  return text === undefined ? [] : text.split(/[ \t\n\r]+/).filter((word) => word !== "");
}

/** Whether caches may be asked for it. Nix's attribute `allowSubstitutes`: not what only this machine should make, or makes sooner. */
export function maySubstitute(derivation: Derivation): boolean {
  const value = derivationAttribute(derivation, "allowSubstitutes");
  return value === undefined || value === "1" || value === true;
}
