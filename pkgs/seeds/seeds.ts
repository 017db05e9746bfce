import lockFile from "./seeds.lock.json" with { type: "json" };
import type { LockedDebianPackage, LockedNpmPackage, LockedSource, SeedLock } from "./seed-lock.ts";
import { seedRequests } from "./seed-requests.ts";

/** A Debian package of the lock. */
export type Seed = LockedDebianPackage & {
  readonly name: string;
  /** `mirror://debian/pool/…` */
  readonly url: string;
};

/** An npm package of the lock. */
export type NpmSeed = LockedNpmPackage & {
  readonly name: string;
  /** `mirror://npm/…` */
  readonly url: string;
};

/** The released source of a package. */
export type SourceSeed = LockedSource & {
  readonly name: string;
  /** `mirror://debian/pool/…` */
  readonly url: string;
};

// The type of the file itself would be one property a package; its form is what `npm run update-seeds` writes.
const lock: SeedLock = lockFile;

/** The Debian package of that name, if the lock has it. */
export function findSeed(name: string): Seed | undefined {
  const locked = Object.hasOwn(lock.debian, name) ? lock.debian[name] : undefined;
  return locked === undefined ? undefined : { name, url: `mirror://debian/${locked.path}`, ...locked };
}

/** @throws RangeError when the lock has no such package. */
export function getSeed(name: string): Seed {
  return findSeed(name) ?? missing("a Debian package", name);
}

/**
 * The packages of `names` and all that they depend on, dependencies first; the same names give the same
 * order. `exclude` leaves out packages and what only they need.
 *
 * @example
 * seedClosure(["jq"]).map(({ name }) => name) // ["gcc-14-base", "libgcc-s1", "libc6", "libonig5", "libjq1", "jq"]
 */
export function seedClosure(names: readonly string[], options: { readonly exclude?: readonly string[] } = {}): readonly Seed[] {
  const seen = new Set(options.exclude ?? []);
  const result: Seed[] = [];
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    // Marked before its dependencies: Debian has cycles (libc6 and libgcc-s1).
    seen.add(name);
    const seed = getSeed(name);
    seed.depends?.forEach(visit);
    result.push(seed);
  };
  [...names].sort().forEach(visit);
  return result;
}

/** The names of a requested set, such as `build-root` or `os-root`, or of a tool. @throws RangeError for others. */
export function seedSet(name: string): readonly string[] {
  return Object.hasOwn(seedRequests.sets, name) ? seedRequests.sets[name]! : missing("a set", name);
}

/** @throws RangeError when the lock has no such package. */
export function npmSeed(name: string): NpmSeed {
  const locked = Object.hasOwn(lock.npm, name) ? lock.npm[name] : undefined;
  return locked === undefined ? missing("an npm package", name) : { name, url: `mirror://npm/${locked.path}`, ...locked };
}

/** @throws RangeError when the lock has no such source. */
export function sourceSeed(name: string): SourceSeed {
  const locked = Object.hasOwn(lock.sources, name) ? lock.sources[name] : undefined;
  return locked === undefined ? missing("a source", name) : { name, url: `mirror://debian/${locked.path}`, ...locked };
}

function missing(what: string, name: string): never {
  throw new RangeError(`"${name}" is not ${what} of the lock of seeds; add it to seed-requests.ts and run npm run update-seeds`);
}
