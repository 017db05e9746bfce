import { defineHelper, type Package } from "../../core/index.ts";
import { seedClosure } from "../seeds/seeds.ts";

export type ComposedRoot = {
  readonly name: string;
  /** Debian packages; what they depend on comes along. */
  readonly packages: readonly string[];
  /** Path → target of links that maintainer scripts would make. They replace what is there. */
  readonly links?: Readonly<Record<string, string>>;
  /** Empty folders. */
  readonly directories?: readonly string[];
  /** Globs of what is left out. */
  readonly remove?: readonly string[];
};

/** Debian packages merged into one tree as they are, to be bound at `/usr` or booted. */
export const composeRoot = defineHelper(({ pkgs, createPackage }) => ({ name, packages, links = {}, directories = [], remove = [] }: ComposedRoot): Package =>
  createPackage({ name, packages, links, directories, remove }, (attributes) => ({
    name: String(attributes.name),
    system: "builtin",
    builder: "builtin:compose",
    trees: JSON.stringify(seedClosure(attributes["packages"] as readonly string[]).map((seed) => pkgs.unpackSeed(seed))),
    links: JSON.stringify(attributes["links"]),
    directories: JSON.stringify(attributes["directories"]),
    remove: JSON.stringify(attributes["remove"]),
    preferLocalBuild: true,
  })),
);
