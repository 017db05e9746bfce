import { lstatSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder, replaceLink, syncFolder } from "./durable-file.ts";
import { ignoreAbsent } from "./machine-state.ts";

/** A generation of a profile laid out as Nix does: `NAME-N-link` beside `NAME`, which points to one of them. */
export type SystemGeneration = {
  readonly number: number;
  readonly toplevel: string;
  readonly created: Date;
  readonly isCurrent: boolean;
};

/** Where a machine's generations are, below its root. */
export const SYSTEM_PROFILE = "/nix/var/nix/profiles/system";

/** Ascending; empty where there is no profile. */
export function listSystemGenerations(profile: string): readonly SystemGeneration[] {
  const folder = dirname(profile);
  const name = profile.slice(folder.length + 1);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    ignoreAbsent(error);
    return [];
  }
  const current = findCurrentGenerationNumber(profile);
  const generations: SystemGeneration[] = [];
  for (const one of names) {
    const number = parseGenerationNumber(one, name);
    if (number === undefined) continue;
    const link = join(folder, one);
    generations.push({ number, toplevel: readlinkSync(link), created: lstatSync(link).mtime, isCurrent: number === current });
  }
  return generations.sort((a, b) => a.number - b.number);
}

/** The toplevel that the profile points to. */
export function findCurrentToplevel(profile: string): string | undefined {
  return listSystemGenerations(profile).find((one) => one.isCurrent)?.toplevel;
}

/**
 * Makes `toplevel` the profile's default: as the generation `number` if given and not another's, else as its newest
 * where that is the same, else as one more. Returns the number.
 */
export function setSystemProfile(profile: string, toplevel: string, number?: number): number {
  const folder = dirname(profile);
  const name = profile.slice(folder.length + 1);
  makeFolder(folder);
  const generations = listSystemGenerations(profile);
  // A number that was chosen before may have been taken meanwhile by a switch that nobody waited for.
  const taken = generations.find((one) => one.number === number);
  const chosen = number !== undefined && (taken === undefined || taken.toplevel === toplevel) ? number : nextGenerationNumber(profile, toplevel);
  const link = join(folder, `${name}-${chosen}-link`);
  if (generations.find((one) => one.number === chosen)?.toplevel !== toplevel) {
    const temporary = `${link}.tsos-new`;
    rmSync(temporary, { force: true });
    symlinkSync(toplevel, temporary);
    renameSync(temporary, link);
    syncFolder(folder);
  }
  replaceLink(`${name}-${chosen}-link`, profile);
  syncFolder(folder);
  return chosen;
}

/** The number that `toplevel` gets: the newest one's where that is the same, else one more. */
export function nextGenerationNumber(profile: string, toplevel: string): number {
  const newest = listSystemGenerations(profile).at(-1);
  if (newest?.toplevel === toplevel) return newest.number;
  return (newest?.number ?? 0) + 1;
}

function findCurrentGenerationNumber(profile: string): number | undefined {
  const name = profile.slice(dirname(profile).length + 1);
  try {
    return parseGenerationNumber(readlinkSync(profile), name);
  } catch (error) {
    ignoreAbsent(error);
    return undefined;
  }
}

function parseGenerationNumber(link: string, name: string): number | undefined {
  if (!link.startsWith(`${name}-`)) return undefined;
  const match = /^(\d+)-link$/.exec(link.slice(name.length + 1));
  return match ? Number(match[1]) : undefined;
}
