import type { Derivation } from "../derivation/derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { NewPathInfo } from "../store/path-info.ts";
import type { LocalStore } from "../store/store.ts";
import { formatStorePath, parseStorePath, type StorePath } from "../store-path/store-path.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { derivationAttribute, derivationList, structuredAttributesOf } from "./derivation-attributes.ts";
import { jsonOf } from "./json-of.ts";

/** What a derivation says its output may be. Nix's attributes of the same names. */
type OutputCheck = {
  readonly allowedReferences?: readonly string[] | undefined;
  readonly allowedRequisites?: readonly string[] | undefined;
  readonly disallowedReferences?: readonly string[] | undefined;
  readonly disallowedRequisites?: readonly string[] | undefined;
  readonly maxSize?: number | undefined;
  readonly maxClosureSize?: number | undefined;
  /** Without structured attributes an output is not one of its own requisites. */
  readonly ignoresSelf: boolean;
};

const LISTS = ["allowedReferences", "allowedRequisites", "disallowedReferences", "disallowedRequisites"] as const;

/**
 * Checks finished outputs against the derivation's own rules. Nix: libstore/build/derivation-check.cc
 *
 * @throws TsosError `build.forbidden-reference`, `build.output-too-large`, naming the output and the paths; `build.bad-attribute`
 */
export async function checkOutputs(store: LocalStore, derivation: Derivation, infos: ReadonlyMap<string, NewPathInfo>): Promise<void> {
  const byPath = new Map([...infos.values()].map((info) => [info.path, info]));
  for (const [name, info] of infos) {
    const check = findOutputCheck(derivation, name);
    if (check === undefined) continue;
    const shown = `output "${name}" of "${derivation.name}"`;
    const whole = formatStorePath(info.path, store.storeDir);
    if (check.maxSize !== undefined && info.narSize > check.maxSize) throw tooLarge(shown, whole, "maxSize", info.narSize, check.maxSize);

    const { requisites, size } = LISTS.every((list) => !list.endsWith("Requisites") || check[list] === undefined) && check.maxClosureSize === undefined ? { requisites: new Set<StorePath>(), size: 0 } : await requisitesOf(store, info, byPath);
    if (check.maxClosureSize !== undefined && size > check.maxClosureSize) throw tooLarge(shown, whole, "maxClosureSize", size, check.maxClosureSize);
    if (check.ignoresSelf) requisites.delete(info.path);
    else requisites.add(info.path);

    const resolve = (entry: string): StorePath => {
      const sister = infos.get(entry)?.path;
      if (sister !== undefined) return sister;
      if (isStorePath(entry, store.storeDir)) return parseStorePath(entry, store.storeDir);
      throw new TsosError({ code: "build.bad-attribute", message: `the checks of ${shown} name "${entry}", which is neither a store path nor one of the outputs ${[...derivation.outputs.keys()].join(", ")}`, data: { output: name, entry, outputs: [...derivation.outputs.keys()] } });
    };
    for (const rule of LISTS) {
      const list = check[rule];
      if (list === undefined) continue;
      const named = new Set(list.map(resolve));
      const allows = rule.startsWith("allowed");
      const used = rule.endsWith("Requisites") ? requisites : info.references;
      const wrong = [...used].filter((path) => named.has(path) !== allows).sort(compareByteStrings).map((path) => formatStorePath(path, store.storeDir));
      if (wrong.length === 0) continue;
      throw new TsosError({
        code: "build.forbidden-reference",
        message: `${shown} refers to ${wrong.map((path) => `"${path}"`).join(", ")}, which its "${rule}" ${allows ? "does not list" : "lists"}`,
        data: { output: whole, paths: wrong, rule },
      });
    }
  }
}

function tooLarge(shown: string, path: string, rule: string, size: number, limit: number): TsosError {
  return new TsosError({ code: "build.output-too-large", message: `${shown} has ${size} bytes, more than the ${limit} of its "${rule}"`, data: { path, rule, size, limit } });
}

function isStorePath(text: string, storeDir: string): boolean {
  try {
    parseStorePath(text, storeDir);
    return true;
  } catch (error) {
    if (error instanceof TsosError) return false;
    throw error;
  }
}

/** @throws TsosError `build.bad-attribute` */
export function findOutputCheck(derivation: Derivation, output: string): OutputCheck | undefined {
  if (!derivation.env.has("__json")) {
    const lists = Object.fromEntries(LISTS.map((name) => [name, derivationList(derivation, name)]));
    return Object.values(lists).every((list) => list === undefined) ? undefined : { ...lists, ignoresSelf: true };
  }
  const checks = derivationAttribute(derivation, "outputChecks");
  if (checks === undefined) return undefined;
  const own = jsonOf(checks, "outputChecks", "object", { isBare: true })[output];
  if (own === undefined) return undefined;
  const attribute = `outputChecks."${output}"`;
  const fields = jsonOf(own, attribute, "object", { isBare: true });
  const lists = LISTS.map((name) => {
    const list = fields[name];
    return [name, list === undefined ? undefined : jsonOf(list, `${attribute}.${name}`, "array").map((item) => jsonOf(item, `${attribute}.${name}`, "string"))] as const;
  });
  const [maxSize, maxClosureSize] = ["maxSize", "maxClosureSize"].map((name) => (fields[name] === undefined ? undefined : toSize(jsonOf(fields[name], `${attribute}.${name}`, "number"))));
  return { ...Object.fromEntries(lists), maxSize, maxClosureSize, ignoresSelf: false };
}

/** All outputs of which something is said, whether they are there or not. */
export function outputsWithChecks(derivation: Derivation): Iterable<string> {
  const checks = structuredAttributesOf(derivation)?.["outputChecks"];
  return new Set([...derivation.outputs.keys(), ...(typeof checks === "object" && checks !== null ? Object.keys(checks) : [])]);
}

/** The number as an unsigned one of 64 bits, as which the reference takes it: without its fraction, and -1 is no limit. */
function toSize(size: number): number {
  const whole = Math.trunc(size);
  return whole < 0 ? 2 ** 64 + whole : whole;
}

/** `unsafeDiscardReferences`: whether what the output refers to is of no account. Only structured attributes can say so. */
export function discardsReferences(derivation: Derivation, output: string): boolean {
  if (!derivation.env.has("__json")) return false;
  const outputs = derivationAttribute(derivation, "unsafeDiscardReferences");
  const own = outputs === undefined ? undefined : jsonOf(outputs, "unsafeDiscardReferences", "object")[output];
  return own !== undefined && jsonOf(own, "unsafeDiscardReferences", "boolean");
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
