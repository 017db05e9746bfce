/**
 * A Nix file of the project or of an input, to stand where a Nix expression would name it by its path: in the
 * modules of a NixOS system, in `imports`, as a package for `callPackage`.
 */
export type NixFile = {
  readonly kind: "nix-file";
  /** In full, below the tree that it is of. */
  readonly path: string;
};

const FILES = new WeakSet<object>();

export function createNixFile(path: string): NixFile {
  const file: NixFile = Object.freeze({ kind: "nix-file", path });
  FILES.add(file);
  return file;
}

export function isNixFile(value: unknown): value is NixFile {
  return typeof value === "object" && value !== null && FILES.has(value);
}
