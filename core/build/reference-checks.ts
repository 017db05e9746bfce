import type { Derivation } from "../derivation/derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { NewPathInfo } from "../store/path-info.ts";
import type { LocalStore } from "../store/store.ts";
import { formatStorePath, parseStorePath, type StorePath } from "../store-path/store-path.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { derivationAttribute, derivationList } from "./builder-environment.ts";

/** What a derivation says its output may be. Nix's attributes of the same names. */
type OutputCheck = {
  readonly allowedReferences?: readonly string[] | undefined;
  readonly allowedRequisites?: readonly string[] | undefined;
  readonly disallowedReferences?: readonly string[] | undefined;
  readonly disallowedRequisites?: readonly string[] | undefined;
  readonly maxSize?: number | undefined;
  readonly maxClosureSize?: number | undefined;
  /** Without structured attributes an output may always refer to itself. */
  readonly ignoreSelfReferences: boolean;
};

const LISTS = ["allowedReferences", "allowedRequisites", "disallowedReferences", "disallowedRequisites"] as const;

/**
 * Checks finished outputs against the derivation's own rules.
 *
 * @throws TsosError `build.forbidden-reference`, `build.output-too-large`, naming the output and the path
 */
export async function checkOutputs(store: LocalStore, derivation: Derivation, infos: ReadonlyMap<string, NewPathInfo>): Promise<void> {
  const byPath = new Map([...infos.values()].map((info) => [info.path, info]));
  for (const [name, info] of infos) {
    const check = findCheck(derivation, name);
    if (check === undefined) continue;
    const shown = `output "${name}" of "${derivation.name}"`;
    if (check.maxSize !== undefined && info.narSize > check.maxSize) throw tooLarge(shown, "maxSize", info.narSize, check.maxSize);

    const own = check.ignoreSelfReferences ? info.path : undefined;
    const references = info.references.filter((path) => path !== own);
    const resolve = (entry: string): StorePath => infos.get(entry)?.path ?? parseStorePath(entry, store.storeDir);
    const allow = (paths: Iterable<StorePath>, list: readonly string[] | undefined, rule: string): void => {
      if (list === undefined) return;
      const allowed = new Set(list.map(resolve));
      for (const path of paths) if (!allowed.has(path)) throw forbidden(shown, path, rule, "does not list");
    };
    const disallow = (paths: Iterable<StorePath>, list: readonly string[] | undefined, rule: string): void => {
      const disallowed = new Set((list ?? []).map(resolve));
      for (const path of paths) if (disallowed.has(path)) throw forbidden(shown, path, rule, "lists");
    };
    allow(references, check.allowedReferences, "allowedReferences");
    disallow(references, check.disallowedReferences, "disallowedReferences");

    if (check.allowedRequisites === undefined && check.disallowedRequisites === undefined && check.maxClosureSize === undefined) continue;
    const { requisites, size } = await requisitesOf(store, info, byPath);
    if (check.maxClosureSize !== undefined && size > check.maxClosureSize) throw tooLarge(shown, "maxClosureSize", size, check.maxClosureSize);
    if (own !== undefined) requisites.delete(own);
    const sorted = [...requisites].sort(compareByteStrings);
    allow(sorted, check.allowedRequisites, "allowedRequisites");
    disallow(sorted, check.disallowedRequisites, "disallowedRequisites");
  }

  function forbidden(shown: string, path: StorePath, rule: string, verb: string): TsosError {
    const text = formatStorePath(path, store.storeDir);
    return new TsosError({
      code: "build.forbidden-reference",
      message: `${shown} refers to "${text}", which its "${rule}" ${verb}`,
      data: { path: text, rule },
    });
  }
}

function tooLarge(shown: string, rule: string, size: number, limit: number): TsosError {
  return new TsosError({ code: "build.output-too-large", message: `${shown} has ${size} bytes, more than the ${limit} of its "${rule}"`, data: { rule, size, limit } });
}

function findCheck(derivation: Derivation, output: string): OutputCheck | undefined {
  if (!derivation.env.has("__json")) {
    const lists = Object.fromEntries(LISTS.map((name) => [name, derivationList(derivation, name)]));
    return Object.values(lists).every((list) => list === undefined) ? undefined : { ...lists, ignoreSelfReferences: true };
  }
  const checks = derivationAttribute(derivation, "outputChecks");
  const own = isRecord(checks) ? checks[output] : undefined;
  if (!isRecord(own)) return undefined;
  const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  return {
    ...Object.fromEntries(LISTS.map((name) => [name, Array.isArray(own[name]) ? (own[name] as unknown[]).map(String) : undefined])),
    maxSize: number(own["maxSize"]),
    maxClosureSize: number(own["maxClosureSize"]),
    ignoreSelfReferences: own["ignoreSelfRefs"] === true,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The closure of an output that is not registered yet: over its sisters, then in the store. */
async function requisitesOf(
  store: LocalStore,
  info: NewPathInfo,
  sisters: ReadonlyMap<StorePath, NewPathInfo>,
): Promise<{ readonly requisites: Set<StorePath>; readonly size: number }> {
  const requisites = new Set<StorePath>();
  const registered = new Set<StorePath>();
  let size = 0;
  const visit = (current: NewPathInfo): void => {
    if (current !== info) requisites.add(current.path);
    size += current.narSize;
    for (const reference of current.references) {
      const sister = sisters.get(reference);
      if (sister === undefined) registered.add(reference);
      else if (sister === info) requisites.add(reference);
      else if (!requisites.has(reference)) visit(sister);
    }
  };
  visit(info);
  for (const path of await store.closure(registered)) {
    requisites.add(path);
    size += (await store.getPathInfo(path)).narSize;
  }
  return { requisites, size };
}
