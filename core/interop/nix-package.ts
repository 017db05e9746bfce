import { TsosError } from "../error/tsos-error.ts";
import type { Package, PackageMeta } from "../package/package.ts";
import { findNearestName } from "../util/suggest.ts";

/** A derivation's set, as the fields of a package are made of it. */
export type DerivationView = {
  /** An attribute as TypeScript sees it; undefined where there is none. */
  attribute(name: string): unknown;
  has(name: string): boolean;
  names(): readonly string[];
  self(): Package;
  run<T>(body: () => T): T;
  call(fn: unknown, args: readonly unknown[]): unknown;
};

type Field = (view: DerivationView) => unknown;

/** What a `Package` has beside, or instead of, the attributes of a derivation's set. */
const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ["kind", () => "derivation"],
  ["pname", (view) => view.attribute("pname") ?? splitName(text(view, "name")).pname],
  ["version", (view) => view.attribute("version") ?? splitName(text(view, "name")).version],
  ["meta", (view) => readMeta(view.attribute("meta"))],
  ["outputs", (view) => view.attribute("outputs") ?? ["out"]],
  ["attributes", (view) => view.attribute("drvAttrs") ?? {}],
  ["output", (view) => (name: string) => output(view, name)],
  ["test", () => undefined],
  ["update", () => undefined],
  ["override", (view) => (changes: unknown) => view.call(need(view, "override", "package.not-overridable"), [changes])],
  ["overrideAttrs", (view) => (change: unknown) => view.call(need(view, "overrideAttrs", "package.not-overridable"), [change])],
  ["toString", (view) => () => text(view, "outPath")],
  ["toJSON", (view) => () => text(view, "outPath")],
]);

export function isDerivationField(name: string): boolean {
  return FIELDS.has(name);
}

/** The field of a package that is made of a derivation's set. */
export function derivationField(name: string, view: DerivationView): unknown {
  return FIELDS.get(name)!(view);
}

function output(view: DerivationView, name: string): unknown {
  const outputs = (view.attribute("outputs") ?? ["out"]) as readonly string[];
  if (!outputs.includes(name)) {
    const near = findNearestName(name, [...outputs]);
    throw new TsosError({
      code: "package.unknown-output",
      message: `package "${text(view, "name")}" has no output "${name}", expected one of ${[...outputs].map((one) => `"${one}"`).join(", ")}`,
      hint: near === undefined ? undefined : `did you mean "${near}"?`,
      data: { package: text(view, "name"), output: name },
    });
  }
  return view.attribute(name);
}

function need(view: DerivationView, name: string, code: string): unknown {
  const value = view.attribute(name);
  if (value === undefined) throw new TsosError({ code, message: `package "${text(view, "name")}" has no "${name}"`, hint: "only what callPackage and mkDerivation made can be overridden" });
  return value;
}

function text(view: DerivationView, name: string): string {
  return String(view.attribute(name) ?? "");
}

/** Nix: libstore/names.cc: the version starts after the first dash that no letter follows. */
function splitName(name: string): { readonly pname: string; readonly version: string } {
  const match = /-(?![a-zA-Z])/.exec(name);
  return match === null ? { pname: name, version: "" } : { pname: name.slice(0, match.index), version: name.slice(match.index + 1) };
}

/** nixpkgs' `meta` with its licences as one SPDX expression; all else as it is there. */
function readMeta(meta: unknown): PackageMeta {
  if (typeof meta !== "object" || meta === null) return {};
  return new Proxy(meta, {
    get: (target, key) => {
      if (typeof key === "symbol" || key === "toJSON" || key === "toString") return Reflect.get(target, key) as unknown;
      const value = key in target ? (Reflect.get(target, key) as unknown) : undefined;
      if (key === "license") return formatLicense(value);
      if (key === "homepage" && Array.isArray(value)) return value[0] as unknown;
      return value;
    },
  }) as PackageMeta;
}

function formatLicense(license: unknown): string | undefined {
  if (typeof license === "string") return license;
  if (Array.isArray(license)) return license.map(formatLicense).filter((one) => one !== undefined).join(" AND ") || undefined;
  if (typeof license !== "object" || license === null) return undefined;
  for (const name of ["spdxId", "shortName", "fullName"]) if (name in license) return String(Reflect.get(license, name));
  return undefined;
}
