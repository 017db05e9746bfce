import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, unlinkSync } from "node:fs";
import path from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { lockFile } from "../util/file-lock.ts";
import { compareUtf8 } from "../util/ordering.ts";
import { replaceLink, storePathOfTarget } from "./find-roots.ts";
import { makeStoreLayout } from "./store-layout.ts";
import type { LocalStore } from "./store.ts";

/** One numbered state of a profile: the link `<profile>-<number>-link`. */
export type Generation = {
  readonly number: number;
  readonly link: string;
  /** What it points to; undefined when that is no store path. */
  readonly path: StorePath | undefined;
  /** When the link was made. */
  readonly created: Date;
  /** Whether the profile points to it now. */
  readonly current: boolean;
};

/** The parts of a store that profiles need. */
type ProfileStore = Pick<LocalStore, "storeDir" | "realStoreDir" | "stateDir" | "addTemporaryRoot" | "isValidPath" | "flush">;

/** `…/profiles/NAME`, or a user's own `…/profiles/per-user/USER/NAME`. */
export function profilePath(store: Pick<LocalStore, "stateDir">, name: string, user?: string): string {
  return user === undefined ? `${store.stateDir}/profiles/${name}` : `${store.stateDir}/profiles/per-user/${user}/${name}`;
}

/** By number ascending; none for a profile that is not there. Nix: libstore/profiles.cc. */
export function listGenerations(store: ProfileStore, profile: string): Generation[] {
  const folder = path.dirname(profile);
  const prefix = `${path.basename(profile)}-`;
  const current = findCurrentLink(profile);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  const generations: Generation[] = [];
  for (const name of names) {
    const number = name.startsWith(prefix) ? /^([0-9]+)-link$/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (number === undefined) continue;
    const link = `${folder}/${name}`;
    const stats = lstatSync(link, { throwIfNoEntry: false });
    if (stats === undefined || !stats.isSymbolicLink()) continue;
    generations.push({
      number: Number(number),
      link,
      path: targetOf(store, link),
      created: stats.mtime,
      current: name === current,
    });
  }
  return generations.sort((a, b) => a.number - b.number);
}

export function findCurrentGeneration(store: ProfileStore, profile: string): Generation | undefined {
  return listGenerations(store, profile).find((generation) => generation.current);
}

/** @throws TsosError `profile.no-generation` */
export function getGeneration(store: ProfileStore, profile: string, number: number): Generation {
  const generations = listGenerations(store, profile);
  const found = generations.find((generation) => generation.number === number);
  if (found !== undefined) return found;
  throw new TsosError({
    code: "profile.no-generation",
    message: `profile "${profile}" has no generation "${number}"`,
    hint: generations.length === 0 ? "it has none" : `it has ${generations.map((generation) => generation.number).join(", ")}`,
    data: { profile, number },
  });
}

/**
 * Makes the next generation of `target`, without switching to it. When the newest one is the same, that is
 * returned, so that doing a thing twice leaves one generation.
 */
export async function createGeneration(store: ProfileStore, profile: string, target: StorePath): Promise<Generation> {
  return withProfileLock(profile, () => makeGeneration(store, profile, target));
}

/** Makes the next generation and switches to it. */
export async function setProfile(store: ProfileStore, profile: string, target: StorePath): Promise<Generation> {
  return withProfileLock(profile, async () => {
    const { number } = await makeGeneration(store, profile, target);
    return switchTo(store, profile, number);
  });
}

async function makeGeneration(store: ProfileStore, profile: string, target: StorePath): Promise<Generation> {
  await store.addTemporaryRoot(target);
  if (!(await store.isValidPath(target))) {
    throw new TsosError({
      code: "profile.invalid-path",
      message: `cannot make a generation of "${formatStorePath(target, store.storeDir)}", which is not valid`,
      data: { profile, path: target },
    });
  }
  const newest = listGenerations(store, profile).at(-1);
  if (newest?.path === target) return newest;
  const number = (newest?.number ?? 0) + 1;
  // A generation whose path a power cut made unregistered would be garbage to the collector.
  await store.flush();
  replaceLink(formatStorePath(target, store.storeDir), generationLink(profile, number));
  return getGeneration(store, profile, number);
}

/** @throws TsosError `profile.no-generation` */
export async function switchGeneration(store: ProfileStore, profile: string, number: number): Promise<Generation> {
  return withProfileLock(profile, async () => switchTo(store, profile, number));
}

/** Back to the generation before the current one. @throws TsosError `profile.no-generation` */
export async function rollbackProfile(store: ProfileStore, profile: string): Promise<Generation> {
  return withProfileLock(profile, async () => switchTo(store, profile, findPrevious(store, profile).number));
}

/** What `rollbackProfile` would switch to. */
export function findPrevious(store: ProfileStore, profile: string): Generation {
  const generations = listGenerations(store, profile);
  const current = generations.find((generation) => generation.current);
  const previous = generations.filter(({ number }) => current !== undefined && number < current.number).at(-1);
  if (previous !== undefined) return previous;
  throw new TsosError({
    code: "profile.no-generation",
    message: `profile "${profile}" has no generation before ${current === undefined ? "the current one, as it has none" : `"${current.number}"`}`,
    data: { profile },
  });
}

function switchTo(store: ProfileStore, profile: string, number: number): Generation {
  const { link } = getGeneration(store, profile, number);
  // Relative, so that the folder may be seen at another place.
  replaceLink(path.basename(link), profile);
  return getGeneration(store, profile, number);
}

export type DeleteGenerationsOptions = { readonly dryRun?: boolean | undefined };

/** @returns those deleted. @throws TsosError `profile.current` for the current one, `profile.no-generation` */
export async function deleteGenerations(
  store: ProfileStore,
  profile: string,
  numbers: Iterable<number>,
  options: DeleteGenerationsOptions = {},
): Promise<Generation[]> {
  return withProfileLock(profile, async () => {
    const chosen = [...new Set(numbers)].map((number) => getGeneration(store, profile, number));
    const current = chosen.find((generation) => generation.current);
    if (current !== undefined) {
      throw new TsosError({
        code: "profile.current",
        message: `cannot delete generation "${current.number}" of "${profile}", which is the current one`,
        hint: "switch to another one first",
        data: { profile, number: current.number },
      });
    }
    if (!options.dryRun) for (const { link } of chosen) unlinkSync(link);
    return chosen;
  });
}

/** All but the current one. */
export async function deleteOldGenerations(store: ProfileStore, profile: string, options?: DeleteGenerationsOptions): Promise<Generation[]> {
  return deleteGenerations(store, profile, numbersOf(listGenerations(store, profile).filter((generation) => !generation.current)), options);
}

/** All before the `keep` newest, never the current one nor those after it. */
export async function deleteGenerationsBeyond(
  store: ProfileStore,
  profile: string,
  keep: number,
  options?: DeleteGenerationsOptions,
): Promise<Generation[]> {
  const generations = listGenerations(store, profile);
  const current = generations.findIndex((generation) => generation.current);
  // Those newer than the current one, after a rollback, do not count. Nix: deleteGenerationsGreaterThan.
  const end = Math.max(0, (current < 0 ? generations.length : current + 1) - keep);
  return deleteGenerations(store, profile, numbersOf(generations.slice(0, end).filter((generation) => !generation.current)), options);
}

/**
 * Those that were no more in use at `time`: all made before it but the last of them, which was still the
 * current one then.
 */
export async function deleteGenerationsOlderThan(
  store: ProfileStore,
  profile: string,
  time: Date,
  options?: DeleteGenerationsOptions,
): Promise<Generation[]> {
  const older = listGenerations(store, profile).filter((generation) => generation.created < time);
  return deleteGenerations(store, profile, numbersOf(older.slice(0, -1).filter((generation) => !generation.current)), options);
}

function numbersOf(generations: readonly Generation[]): number[] {
  return generations.map((generation) => generation.number);
}

/** All profiles below the state folder, users' own included. */
export function listProfiles(store: Pick<LocalStore, "stateDir">): string[] {
  const profiles: string[] = [];
  const visit = (folder: string): void => {
    let entries;
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "EACCES")) return;
      throw error;
    }
    for (const entry of entries) {
      const file = `${folder}/${entry.name}`;
      if (entry.isDirectory()) visit(file);
      else if (entry.isSymbolicLink() && /-[0-9]+-link$/.test(readlinkSync(file))) profiles.push(file);
    }
  };
  visit(`${store.stateDir}/profiles`);
  return profiles.sort(compareUtf8);
}

function generationLink(profile: string, number: number): string {
  return `${profile}-${number}-link`;
}

function findCurrentLink(profile: string): string | undefined {
  if (lstatSync(profile, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
  return path.basename(readlinkSync(profile));
}

function targetOf(store: ProfileStore, link: string): StorePath | undefined {
  const layout = { ...makeStoreLayout({ storeDir: store.storeDir, stateDir: store.stateDir }), realStoreDir: store.realStoreDir };
  return storePathOfTarget(layout, readlinkSync(link));
}

/** Nix's lock of a profile: `<profile>.lock`, which stays. */
async function withProfileLock<T>(profile: string, body: () => Promise<T>): Promise<T> {
  mkdirSync(path.dirname(profile), { recursive: true });
  using _lock = await lockFile(`${profile}.lock`);
  removeHalfMade(profile);
  return await body();
}

/** Links that `replaceLink` made and did not get to move, before a kill or a power cut. Under the lock they are nobody's. */
function removeHalfMade(profile: string): void {
  const folder = path.dirname(profile);
  const name = path.basename(profile);
  for (const entry of readdirSync(folder)) {
    const [, made] = /^\.\d+_\d+_(.*)$/s.exec(entry) ?? [];
    if (made !== undefined && (made === name || (made.startsWith(`${name}-`) && /^\d+-link$/.test(made.slice(name.length + 1))))) rmSync(`${folder}/${entry}`, { force: true });
  }
}
