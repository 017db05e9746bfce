import type { CompiledFile } from "./compile.ts";

/**
 * Files that were parsed and compiled before. A key is a hash of the file's bytes, its folder and whatever else the
 * result depends on, but for the parser and compiler themselves: who keeps files longer than a program runs must know
 * which program made them.
 */
export type ParsedFiles = {
  find(key: string): CompiledFile | undefined;
  add(key: string, file: CompiledFile): void;
};
