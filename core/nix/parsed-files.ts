import type { ByteString } from "../util/bytes.ts";
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

/**
 * Files that somebody else parses and compiles, beside the evaluation, with the language's usual settings and no home
 * folder. `path` may be seen; the names are those that every file has.
 *
 * @returns undefined for what the evaluation has to parse itself: what is wrong, or to be warned of, too
 */
export type CompiledFiles = (path: ByteString, basePath: ByteString, globals: ReadonlySet<ByteString>) => CompiledFile | undefined;
