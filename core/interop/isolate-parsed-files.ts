import type { ParsedSourceCall } from "../config/parsed-sources.ts";
import { RAW_ANSWER } from "../config/source-files.ts";
import type { CompiledFile, StringTable } from "../nix/compile.ts";
import type { ByteString } from "../util/bytes.ts";

/** Files of an input as the isolate's thread has parsed them (`parsed-sources.ts`). */
export type IsolateParsedFiles = {
  find(input: string, path: ByteString, basePath: ByteString, globals: ReadonlySet<ByteString>): CompiledFile | undefined;
};

/** @param ask asks the thread; what it answers are texts, so that no object comes into this realm from without */
export function createIsolateParsedFiles(ask: (call: ParsedSourceCall) => string): IsolateParsedFiles {
  /** Null where nobody parses for this evaluation. */
  const scopes = new Map<ReadonlySet<ByteString>, number | null>();
  const tables = new Map<number, StringTable>();
  const scopeOf = (globals: ReadonlySet<ByteString>): number | null => {
    let scope = scopes.get(globals);
    if (scope === undefined) scopes.set(globals, (scope = JSON.parse(ask({ op: "parsed", ask: "globals", globals: [...globals].sort() })) as number | null));
    return scope;
  };
  const tableOf = (number: number, length: number): StringTable => {
    let table = tables.get(number);
    if (table === undefined) tables.set(number, (table = readTable(length, ask({ op: "parsed", ask: "texts", table: number }), parseWords(ask({ op: "parsed", ask: "ends", table: number })))));
    return table;
  };
  return {
    find(input, path, basePath, globals) {
      const scope = scopeOf(globals);
      const answer = scope === null ? "" : ask({ op: "parsed", ask: "file", input, path, basePath, globals: scope });
      if (!answer.startsWith(RAW_ANSWER)) return undefined;
      const words = parseWords(answer);
      const [table, strings, code, relocations] = words as unknown as readonly [number, number, number, number];
      const orderAt = 4 + code + relocations;
      return { strings: tableOf(table, strings), code: words.subarray(4, 4 + code), relocations: words.subarray(4 + code, orderAt), order: words.subarray(orderAt) };
    },
  };
}

function readTable(length: number, texts: string, ends: Int32Array): StringTable {
  return { length, at: (index) => texts.slice(RAW_ANSWER.length + (index === 0 ? 0 : ends[index - 1]!), RAW_ANSWER.length + ends[index]!) };
}

/** Two characters a word, the lower half first. */
function parseWords(text: string): Int32Array {
  const words = new Int32Array((text.length - RAW_ANSWER.length) / 2);
  for (let word = 0, at = RAW_ANSWER.length; word < words.length; word++, at += 2) words[word] = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
  return words;
}
