import type { FileRead } from "./file-read.ts";

export type BundleOptions = {
  /** The configuration; undefined for an empty one. */
  readonly file: string | undefined;
  /** The folder that paths in the bundle are relative to. */
  readonly project: string;
  /** What `"tsos"` exports. */
  readonly exports: readonly string[];
  /** Those of its exports that are made anew for each folder that imports them. */
  readonly folderExports: readonly string[];
  /** Where what is read is noted, by path, also when the bundle fails. */
  readonly reads?: Map<string, FileRead>;
  /** Modules of inputs that belong to it. */
  readonly inputModules?: readonly InputModule[] | undefined;
};

/** A file of an input's tree, and the name by which the evaluation knows it. */
export type InputModule = {
  readonly input: string;
  /** As the configuration wrote it. */
  readonly path: string;
  /** The input's tree. */
  readonly root: string;
};
