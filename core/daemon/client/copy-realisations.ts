import { readFile } from "node:fs/promises";
import { derivationOutputPaths } from "../../derivation/derivation-output-paths.ts";
import type { Derivation } from "../../derivation/derivation.ts";
import { parseDerivation } from "../../derivation/parse-derivation.ts";
import { TsosError } from "../../error/tsos-error.ts";
import type { OutputId, Realisation } from "../../narinfo/realisation.ts";
import type { LocalStore } from "../../store/store.ts";
import { formatStorePath, isDerivationPath, storePathName, type StorePath } from "../../store-path/store-path.ts";

/** What says of an output which path it turned out to be: a cache, a store of this machine or another's. */
export type RealisationSource = { findRealisation(id: OutputId, signal?: AbortSignal): Promise<Realisation | undefined> };

/** What remembers it. */
export type RealisationTarget = { addRealisation(realisation: Realisation, signal?: AbortSignal): Promise<void> };

/**
 * What outputs of derivations turned out to be goes with the paths that they are.
 *
 * @returns how many were told
 * @throws TsosError `daemon.no-realisations` where there are some and the other side's protocol has none
 */
export async function sendRealisations(from: LocalStore, to: RealisationTarget, paths: Iterable<StorePath>, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (const path of paths) {
    for (const realisation of await from.queryRealisationsOf(path)) {
      await to.addRealisation(realisation, signal);
      count++;
    }
  }
  return count;
}

/**
 * The other way: of the outputs of derivations that are among `paths`, or made one of them, and are here.
 *
 * @param isTaken whether somebody is believed; the others are left out
 * @returns how many are known now
 */
export async function receiveRealisations(from: RealisationSource, to: LocalStore, paths: Iterable<StorePath>, isTaken: (realisation: Realisation) => boolean, signal: AbortSignal): Promise<number> {
  const all = [...paths];
  const derivations = new Set([...all.filter(isDerivationPath), ...(await to.queryDeriversOf(all.filter((path) => !isDerivationPath(path))))]);
  const found: Realisation[] = [];
  for (const derivation of await to.queryValidPaths(derivations)) {
    for (const output of await outputsToLearn(to, derivation)) {
      const id = await to.findOutputId(derivation, output);
      const realisation = id === undefined ? undefined : await from.findRealisation(id, signal);
      if (realisation !== undefined && isTaken(realisation) && (await to.isValidPath(realisation.path))) found.push(realisation);
    }
  }
  if (found.length > 0) await to.registerRealisations(found);
  return found.length;
}

/** Those that are known only after a build, and not yet. */
async function outputsToLearn(store: LocalStore, derivation: StorePath): Promise<readonly string[]> {
  const { outputs } = await readDerivation(store, derivation);
  const known = await store.queryDerivationOutputs(derivation);
  return [...outputs].flatMap(([name, { kind }]) => ((kind === "floating" || kind === "deferred") && !known.has(name) ? [name] : []));
}

/**
 * What outputs of a derivation are, by the word of where they are copied from.
 *
 * @param names all of them by default
 * @throws TsosError `daemon.unknown-output` where it has no such output, or that is not known there
 */
export async function findOutputsAt(from: RealisationSource, local: LocalStore, drvPath: StorePath, names: readonly string[] | undefined, signal: AbortSignal): Promise<readonly StorePath[]> {
  const paths = derivationOutputPaths(await readDerivation(local, drvPath), local.storeDir);
  const found: StorePath[] = [];
  for (const name of names ?? paths.keys()) {
    const id = paths.has(name) ? await local.findOutputId(drvPath, name) : undefined;
    const path = paths.get(name) ?? (id === undefined ? undefined : (await from.findRealisation(id, signal))?.path);
    const shown = formatStorePath(drvPath, local.storeDir);
    if (path === undefined) throw new TsosError({ code: "daemon.unknown-output", message: `the output "${name}" of "${shown}" is ${paths.has(name) ? "not known there" : "none that it has"}`, data: { derivation: shown, output: name } });
    found.push(path);
  }
  return found;
}

async function readDerivation(store: LocalStore, path: StorePath): Promise<Derivation> {
  return parseDerivation(await readFile(store.realPath(path)), storePathName(path).slice(0, -".drv".length), store.storeDir);
}

export function noRealisations(name: string): TsosError {
  return new TsosError({ code: "daemon.no-realisations", message: `"${name}" cannot be told, or asked, what floating outputs turned out to be`, hint: "ssh-ng:// in the place of ssh:// can", data: { store: name } });
}
