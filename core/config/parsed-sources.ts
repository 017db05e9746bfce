import type { ByteString } from "../util/bytes.ts";

/**
 * How the isolate gets files of inputs that its thread has parsed, now or for an earlier evaluation. What a file is
 * compiled to comes as text, of two characters a word (`RAW_ANSWER` before them), so that no object leaves its realm;
 * `null` is what has to be parsed in the isolate.
 */
export type ParsedSourceCall =
  /** Names the builtins that every file has; answered with a number that stands for them. */
  | { readonly op: "parsed"; readonly ask: "globals"; readonly globals: readonly ByteString[] }
  /** The words are the table that its strings are in, how many strings that has, the lengths of code and relocations, then code, relocations and order. */
  | { readonly op: "parsed"; readonly ask: "file"; readonly input: string; readonly path: ByteString; readonly basePath: ByteString; readonly globals: number }
  /** All texts of a table, one after the other. */
  | { readonly op: "parsed"; readonly ask: "texts"; readonly table: number }
  /** Where each of them ends, a word each. */
  | { readonly op: "parsed"; readonly ask: "ends"; readonly table: number };

/** What the isolate's thread loads when an evaluation first reads a Nix expression of an input. */
export type ParsedSources = {
  /** @param root where the input's files are */
  answer(call: ParsedSourceCall, root: string | undefined): string;
  /** Keeps what was parsed for the next evaluation. */
  save(): void;
};

/** What that script exports. */
export type ParsedSourcesScript = {
  /** @param folder where parsed files are kept; each `program` has its own, since others may compile them otherwise */
  openParsedSources(folder: string, program: string): ParsedSources;
};
