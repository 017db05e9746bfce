import { TsosError } from "../error/tsos-error.ts";

/**
 * A Nix file of the project or of an input, to stand where a Nix expression would name it by its path: in the
 * modules of a NixOS system, in `imports`, as a package for `callPackage`; any file or folder where the path itself
 * counts, as in `home.file.NAME.source`.
 */
export type NixFile = {
  readonly kind: "nix-file";
  /** In full, below the tree that it is of. */
  readonly path: string;
};

/** What a text would have is neither its content nor a path that a build can see. */
const IN_TEXT = {
  toString(this: NixFile): never {
    throw new TsosError({ code: "nix.not-a-text", message: `the Nix file "${this.path}" is put into a text`, hint: `path("./…") is the file in the store` });
  },
};

const FILES = new WeakSet<object>();

export function createNixFile(path: string): NixFile {
  const file: NixFile = Object.freeze(Object.assign(Object.create(IN_TEXT) as object, { kind: "nix-file", path } as const));
  FILES.add(file);
  return file;
}

export function isNixFile(value: unknown): value is NixFile {
  return typeof value === "object" && value !== null && FILES.has(value);
}
