import { defineHelper, type Package } from "../../core/index.ts";
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
export const seedPackage = defineHelper(({ pkgs, createPackage }) => (init: SeedPackage): Package => {
  // A wrapper is a script and needs a shell that comes along.
  const shell = Object.keys(init.wrappers ?? {}).length > 0 ? ["dash"] : [];
  const { pname, version, seeds, exclude, trees = [], wrappers = {}, links = {}, linkFolders = [], remove = [], patchLibraries = false } = init;
  return createPackage({ pname, version, seeds, exclude, trees, wrappers, links, linkFolders, remove, patchLibraries }, (attributes) => ({
    name: `${String(attributes.pname)}-${String(attributes.version)}`,
    system: "builtin",
    builder: "builtin:patch-elf",
    trees: JSON.stringify([...seedClosure([...seeds, ...shell], exclude === undefined ? {} : { exclude }).map((seed) => pkgs.unpackSeed(seed)), ...trees]),
    main: JSON.stringify([...seeds.map((name) => pkgs.unpackSeed(getSeed(name))), ...trees]),
    patchelf: JSON.stringify(seedClosure(seedSet("patchelf")).map((seed) => pkgs.unpackSeed(seed))),
    wrappers: JSON.stringify(attributes["wrappers"]),
    links: JSON.stringify(attributes["links"]),
    linkFolders: JSON.stringify(attributes["linkFolders"]),
    remove: JSON.stringify([...NEVER_NEEDED, ...(attributes["remove"] as readonly string[])]),
    patchLibraries: attributes["patchLibraries"],
    preferLocalBuild: true,
  }));
});
