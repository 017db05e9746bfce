import { existsSync, readFileSync } from "node:fs";
import { TsosError } from "../../error/tsos-error.ts";
import { equalAttributes, findText, sortAttributes, withoutAttributes, type SourceAttributes } from "./attributes.ts";
import { checkSource, formatSource, getScheme } from "./source.ts";

/** What a registry says of one name. */
export type RegistryEntry = { readonly from: SourceAttributes; readonly to: SourceAttributes; readonly dir: string | undefined; readonly exact: boolean };

/** The files of registries: the user's, the machine's, and the one of everyone, which alone counts for the inputs of others' flakes. */
export type RegistryFiles = { readonly user: string | undefined; readonly system: string; readonly global: string | undefined };

/** @throws TsosError `source.bad-registry` */
export function readRegistry(file: string | undefined, warn: (message: string) => void): readonly RegistryEntry[] {
  if (file === undefined || !existsSync(file)) return [];
  try {
    const json = JSON.parse(readFileSync(file, "utf8")) as { readonly version?: number; readonly flakes?: readonly { readonly from: SourceAttributes; readonly to: SourceAttributes; readonly exact?: boolean }[] };
    if (json.version !== 2) throw new TsosError({ code: "source.bad-registry", message: `flake registry '${file}' has unsupported version ${json.version ?? 0}` });
    return (json.flakes ?? []).map(({ from, to, exact }) => ({ from: checkSource(from), to: checkSource(withoutAttributes(to, "dir")), dir: findText(to, "dir"), exact: exact === true }));
  } catch (error) {
    warn(`cannot read flake registry '${file}': ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

const MAX_STEPS = 100;

/**
 * The source that a name stands for; what is no name stays as it is. With `dir`, where the registry says one.
 * @throws TsosError `source.unknown-flake`, `source.registry-cycle`
 */
export function resolveInRegistries(source: SourceAttributes, registries: readonly (readonly RegistryEntry[])[]): SourceAttributes {
  let current = source;
  let dir: string | undefined;
  for (let step = 0; step < MAX_STEPS; step++) {
    const entry = registries.flat().find(({ from, exact }) => equalAttributes(from, current) || (!exact && equalAttributes(from, withoutAttributes(current, "ref", "rev"))));
    if (entry === undefined) {
      if (current["type"] === "indirect") throw new TsosError({ code: "source.unknown-flake", message: `cannot find flake '${formatSource(current)}' in the flake registries`, data: { id: current["id"] } });
      return dir === undefined ? current : sortAttributes({ ...current, dir });
    }
    const { from, to } = entry;
    current = entry.exact ? to : getScheme(to).override(to, from["ref"] === undefined ? findText(current, "ref") : undefined, from["rev"] === undefined ? findText(current, "rev") : undefined);
    dir = entry.dir;
  }
  throw new TsosError({ code: "source.registry-cycle", message: `cycle detected in flake registry for '${formatSource(source)}'` });
}
