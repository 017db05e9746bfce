import type { ForeignTypes } from "./registry.ts";

/** The least that a package is, for this floor, which knows no packages. */
export type BasicPackage = {
  readonly type: "derivation";
  readonly name: string;
  readonly outPath: string;
  readonly drvPath: string;
  toString(): string;
};

/** The least that a secret is: the file on the machine that holds it. */
export type BasicSecret = { readonly kind: "secret"; readonly file: string };

export type PackageValue = ForeignTypes extends { readonly package: infer P } ? P : BasicPackage;
export type SecretValue = ForeignTypes extends { readonly secret: infer S } ? S : BasicSecret;

/** What changes the package set; this floor only hands it on. */
export type OverlayFunction = ForeignTypes extends { readonly overlay: infer O } ? O : (final: never, prev: never) => unknown;

/** Whether `value` is a package, without asking it for its path, which would instantiate it. */
export function isPackageValue(value: unknown): value is BasicPackage {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    (value as { readonly type?: unknown }).type === "derivation" &&
    "drvPath" in value
  );
}

export function isSecretValue(value: unknown): value is BasicSecret {
  return typeof value === "object" && value !== null && (value as BasicSecret).kind === "secret" && "file" in value;
}
