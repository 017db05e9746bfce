import { defineHelper, type Package, type StoreObject } from "../../core/index.ts";

/** One file, link or folder of a tree; folders on the way to it come by themselves. */
export type TreeEntry =
  | { readonly kind: "file"; readonly path: string; readonly contents: string; readonly executable?: boolean }
  | { readonly kind: "symlink"; readonly path: string; readonly target: StoreObject }
  | { readonly kind: "directory"; readonly path: string };

/** A tree whose files are written as they stand here; an entry whose path is "" is the whole result. */
export const writeTree = defineHelper(({ createPackage }) => (name: string, entries: readonly TreeEntry[]): Package =>
  createPackage({ name, entries }, (attributes) => ({
    name: String(attributes.name),
    system: "builtin",
    builder: "builtin:write-tree",
    entries: JSON.stringify(attributes["entries"]),
    preferLocalBuild: true,
    allowSubstitutes: false,
  })),
);

/** A file with this text. */
export const writeText = defineHelper(({ pkgs }) => (name: string, contents: string): Package => pkgs.writeTree(name, [{ kind: "file", path: "", contents }]));

/** A script of bash, run by the store's own: the whole result is the script. */
export const writeShellScript = defineHelper(({ pkgs }) => (name: string, script: string): Package =>
  pkgs.writeTree(name, [{ kind: "file", path: "", contents: `#!${pkgs.bash}/bin/bash\n${script}`, executable: true }]),
);

/** A package whose `bin` holds one program, whose first line the caller writes. */
export const writeScriptBin = defineHelper(({ pkgs }) => (name: string, contents: string): Package =>
  pkgs.writeTree(name, [{ kind: "file", path: `bin/${name}`, contents, executable: true }]),
);

/** A package whose `bin` holds one script of bash. */
export const writeShellScriptBin = defineHelper(({ pkgs }) => (name: string, script: string): Package =>
  pkgs.writeScriptBin(name, `#!${pkgs.bash}/bin/bash\n${script}`),
);

/**
 * A folder of links.
 * @example linkFarm("examples", { hello: pkgs.hello, "docs/git": pkgs.git })
 */
export const linkFarm = defineHelper(({ pkgs }) => (name: string, links: Readonly<Record<string, StoreObject>>): Package =>
  pkgs.writeTree(
    name,
    Object.entries(links).map(([path, target]) => ({ kind: "symlink", path, target })),
  ),
);
