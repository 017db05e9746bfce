import { defineHelper, type BuildAttributes, type DerivationAttributes, type Package } from "../../core/index.ts";
import { getSeed, seedClosure, seedSet, type Seed } from "../seeds/seeds.ts";

/** How a program is started: with what in its environment and before its arguments. `$out` is the package. */
export type ProgramWrapper = {
  /** Set whatever the caller has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Set unless the caller has it. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** Put before the caller's list, with a colon. */
  readonly prefix?: Readonly<Record<string, string>>;
  /** Arguments before the caller's. */
  readonly args?: readonly string[];
};

export type SeedPackage = {
  readonly pname: string;
  readonly version: string;
  /** The Debian packages that it is made of; what they depend on comes along. */
  readonly seeds: readonly string[];
  /** Debian packages whose programs the package runs: they are in `libexec/bin` and in nobody's way. */
  readonly companions?: readonly string[];
  /** Debian packages to leave out, with what only they need. */
  readonly exclude?: readonly string[];
  /** Trees beside those of the seeds. */
  readonly trees?: readonly Package[];
  /** Program's path (`bin/git`) → how it is started. */
  readonly wrappers?: Readonly<Record<string, ProgramWrapper>> | undefined;
  /** Path → target of further links. */
  readonly links?: Readonly<Record<string, string>>;
  /** Folders whose programs are linked into `bin`. */
  readonly linkFolders?: readonly string[];
  /** Globs of what is left out. */
  readonly remove?: readonly string[];
  /** Give libraries a search path of their own, so that others' programs may link to them. */
  readonly patchLibraries?: boolean;
};

/** The files of a Debian package as they are: a tree with `usr` and `etc`, for other builders. */
export const unpackSeed = defineHelper(({ pkgs, createPackage }) => {
  const known = new Map<string, Package>();
  return (seed: Seed): Package => {
    const found = known.get(seed.name);
    if (found !== undefined) return found;
    const src = pkgs.fetchurl({ url: seed.url, hash: `sha256:${seed.sha256}`, size: seed.size });
    const unpacked = createPackage({ name: `${seed.name}-unpacked`, src }, (attributes) => ({
      name: String(attributes.name),
      system: "builtin",
      builder: "builtin:unpack-deb",
      src: attributes.src,
      preferLocalBuild: true,
    }));
    known.set(seed.name, unpacked);
    return unpacked;
  };
});

// No tool reads these at run time.
const NEVER_NEEDED = ["usr/share/doc"];

/** Debian packages merged into one store path that runs anywhere: interpreters and run paths go to itself. */
export const seedPackage = defineHelper(({ pkgs, createPackage }) => {
  const unpack = (seeds: readonly Seed[]): readonly Package[] => seeds.map((seed) => pkgs.unpackSeed(seed));

  const compile = (attributes: BuildAttributes): DerivationAttributes => {
    // What `overrideAttrs` may have changed has the same form, or the builder says what is wrong with it.
    const { pname, version, seeds, companions = [], exclude = [], trees = [], ...more } = attributes as unknown as SeedPackage;
    const { wrappers = {}, links = {}, linkFolders = [], remove = [], patchLibraries = false } = more;
    // A wrapper is a script and needs a shell that comes along.
    const shell = Object.keys(wrappers).length > 0 ? ["dash"] : [];
    return {
      name: `${pname}-${version}`,
      system: "builtin",
      builder: "builtin:patch-elf",
      trees: JSON.stringify([...unpack(seedClosure([...seeds, ...companions, ...shell], { exclude })), ...trees]),
      main: JSON.stringify([...unpack(seeds.map(getSeed)), ...trees]),
      patchelf: JSON.stringify(unpack(seedClosure(seedSet("patchelf")))),
      wrappers: JSON.stringify(wrappers),
      links: JSON.stringify(links),
      linkFolders: JSON.stringify(linkFolders),
      remove: JSON.stringify([...NEVER_NEEDED, ...remove]),
      patchLibraries,
      preferLocalBuild: true,
    };
  };
  return (init: SeedPackage): Package => createPackage({ ...init }, compile);
});
