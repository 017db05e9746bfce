/** The form of `seeds.lock.json`. Its text is sorted and has one package a line, so that a renewal reads well. */
export type SeedLock = {
  readonly suite: string;
  readonly architecture: string;
  readonly debian: Readonly<Record<string, LockedDebianPackage>>;
  readonly npm: Readonly<Record<string, LockedNpmPackage>>;
  readonly sources: Readonly<Record<string, LockedSource>>;
};

export type LockedDebianPackage = {
  readonly version: string;
  /** From a mirror's root: `pool/main/…`. */
  readonly path: string;
  readonly size: number;
  /** Base-16. */
  readonly sha256: string;
  /** Names in this lock. */
  readonly depends?: readonly string[];
};

export type LockedNpmPackage = {
  /** Its name in the registry. */
  readonly package: string;
  readonly version: string;
  /** From the registry's root. */
  readonly path: string;
  /** SRI. */
  readonly integrity: string;
  /** Program → its path in the package. */
  readonly bin: Readonly<Record<string, string>>;
};

export type LockedSource = {
  readonly version: string;
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
};
