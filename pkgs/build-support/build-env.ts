import { defineHelper, type Package } from "../../core/index.ts";

export type BuildEnvironment = {
  readonly name: string;
  readonly paths: readonly Package[];
  /** Only what lies below these folders is linked. Default: all. */
  readonly pathsToLink?: readonly string[];
};

const DEFAULT_PRIORITY = 5;

/**
 * One tree of links to the files of many packages, as a profile is. Two packages with the same file are an
 * error unless their priorities differ.
 */
export const buildEnv = defineHelper(({ createPackage }) => ({ name, paths, pathsToLink }: BuildEnvironment): Package =>
  createPackage({ name, paths, pathsToLink }, (attributes) => ({
    name: String(attributes.name),
    system: "builtin",
    builder: "builtin:buildenv",
    // For each: "true", its priority, how many paths, the paths. Nix: libstore/builtins/buildenv.cc.
    derivations: (attributes["paths"] as readonly Package[]).map((path) => ["true", path.meta.priority ?? DEFAULT_PRIORITY, 1, path]),
    pathsToLink: pathsToLink === undefined ? undefined : JSON.stringify(attributes["pathsToLink"]),
    preferLocalBuild: true,
    allowSubstitutes: false,
  })),
);

/** `buildEnv` under the name that it has for packages made of packages. */
export const symlinkJoin = defineHelper(({ pkgs }) => (environment: BuildEnvironment): Package => pkgs.buildEnv(environment));
