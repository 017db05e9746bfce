import type { EvaluationRegistry } from "./evaluation-registry.ts";
import { createNixFile, type NixFile } from "./nix-file.ts";
import { TsosError } from "../error/tsos-error.ts";
import { parseHash } from "../hash/hash.ts";
import { makeFixedOutputPath } from "../store-path/make-store-path.ts";
import { formatStorePath } from "../store-path/store-path.ts";
import type { NixValue } from "./nix-value.ts";

/** What a configuration may see of its project; every look is noted, so that the evaluation can be remembered. */
export type ProjectFiles = {
  /**
   * The store path of a file or folder of the project, which is copied there as it is: whatever uses the string
   * depends on it. The path is relative to the file that it is written in.
   * @example services.nginx.virtualHosts.localhost.root = path("./site")   // /nix/store/…-site
   */
  path(path: string, options?: { readonly name?: string }): string;
  /**
   * A Nix file of the project, or a folder with a `default.nix`, for the modules of a NixOS system. What it names
   * relative to itself it sees, all of the project's files.
   */
  nixFile(path: string): NixFile;
  /**
   * What a text in the Nix language evaluates to. Its relative paths are those of the file that it is written in.
   * @example nixExpression("{ pkgs }: with pkgs; [ git vim ]")({ pkgs })
   */
  // As values of NixOS' options are: nothing is known of its type.
  nixExpression(text: string): NixValue;
  /** The text of a file of the project. */
  readFile(path: string): string;
  /** The names in a folder of the project, sorted. */
  readFolder(path: string): readonly { readonly name: string; readonly kind: "file" | "folder" | "symlink" }[];
};

/**
 * The host's side: what it tells of a path that is relative to `folder`, which is relative to the project, or to the
 * tree of an input.
 */
export type ProjectReader = {
  readFile(folder: string, path: string, input?: string): string;
  readFolder(folder: string, path: string, input?: string): readonly { readonly name: string; readonly kind: "file" | "folder" | "symlink" }[];
  /** @returns the path relative to the project, the name, and the NAR hash as `sha256:` and base-16. */
  hashPath(folder: string, path: string, input?: string): { readonly file: string; readonly name: string; readonly narHash: string };
  /** Evaluates a text in the Nix language that is written in a file of the folder. */
  evaluateNix(folder: string, text: string, input?: string): unknown;
  /** Lets Nix expressions see the project, or an input. @returns the path in full as they see it */
  showProjectNix(folder: string, path: string, input?: string): string;
};

/** `path` and its like for the files of one folder of the project, or of an input. */
export function createProjectFiles(registry: EvaluationRegistry, reader: ProjectReader, folder: string, input?: string): ProjectFiles {
  return {
    path(path, options) {
      const found = reader.hashPath(folder, path, input);
      const name = options?.name ?? storeName(found.name);
      const storePath = makeFixedOutputPath({ name, method: "nar", hash: parseHash(found.narHash), storeDir: registry.storeDir });
      return registry.addPath(name, formatStorePath(storePath, registry.storeDir), found.file, { input }).path;
    },
    nixFile: (path) => createNixFile(reader.showProjectNix(folder, path, input)),
    nixExpression: (text) => reader.evaluateNix(folder, text, input),
    readFile: (path) => reader.readFile(folder, path, input),
    readFolder: (path) => reader.readFolder(folder, path, input),
  };
}

/** A file's name with what no store path may hold replaced: `my page.html` becomes `my-page.html`. */
function storeName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9+\-._?=]/g, "-").replace(/^\.+/, "");
  return plain === "" ? "source" : plain;
}

// In an evaluation, the bundle gives each folder its own; these are what any other program gets.
const outside = (name: string) => (): never => {
  throw new TsosError({ code: "package.no-project", message: `"${name}" works only in a configuration that tsos evaluates`, hint: "tsos eval" });
};

export const path: ProjectFiles["path"] = outside("path");
export const nixFile: ProjectFiles["nixFile"] = outside("nixFile");
export const nixExpression: ProjectFiles["nixExpression"] = outside("nixExpression");
export const readFile: ProjectFiles["readFile"] = outside("readFile");
export const readFolder: ProjectFiles["readFolder"] = outside("readFolder");
