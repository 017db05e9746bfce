import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ParsedSourceCall, ParsedSources } from "../config/parsed-sources.ts";
import { RAW_ANSWER } from "../config/source-files.ts";
import { toFsPath } from "../nar/fs-path.ts";
import { compileNix, type CompiledFile, type StringTable } from "../nix/compile.ts";
import { NixError } from "../nix/nix-error.ts";
import { parseNix } from "../nix/parse.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import { tuneForFiles } from "../util/tune-engine.ts";
import { openParsedFileCache } from "./parsed-file-cache.ts";
import { packStrings, type PackedStrings } from "./parsed-pack.ts";

const NONE = "null";

/**
 * Parses files of inputs for the isolate, in its thread and outside of its realm: so what is kept for later evaluations
 * was never in the hands of a configuration.
 */
export function openParsedSources(folder: string, program: string): ParsedSources {
  const cache = openParsedFileCache(folder, program, { onAsked: tuneForFiles });
  // What an evaluation knows by number; the next one begins anew.
  const scopes: { readonly names: ReadonlySet<ByteString>; readonly hash: string }[] = [];
  const tables: PackedStrings[] = [];
  const known = new Map<StringTable, number>();
  const tableOf = (strings: StringTable): number => {
    let number = known.get(strings);
    if (number === undefined) {
      number = tables.push("ends" in strings ? (strings as PackedStrings) : packStrings(Array.from({ length: strings.length }, (_, index) => strings.at(index)!))) - 1;
      known.set(strings, number);
    }
    return number;
  };
  const find = (file: string, { basePath, globals }: Extract<ParsedSourceCall, { readonly ask: "file" }>): CompiledFile | undefined => {
    const { names, hash: namesHash } = scopes[globals]!;
    const bytes = readFileSync(toFsPath(file));
    const key = hash("sha256", `${hash("sha256", bytes)}\0${basePath}\0${namesHash}`);
    let compiled = cache.find(key);
    if (compiled === undefined) {
      compiled = parseQuietly(bytes.toString("latin1"), basePath, names);
      if (compiled !== undefined) cache.add(key, compiled);
    }
    return compiled;
  };
  return {
    answer(call, root) {
      switch (call.ask) {
        case "globals":
          return String(scopes.push({ names: new Set(call.globals), hash: hash("sha256", JSON.stringify(call.globals)) }) - 1);
        case "file": {
          if (root === undefined || call.path.split("/").includes("..")) return NONE;
          const file = find(call.path === "" ? toByteString(root) : `${toByteString(root)}/${call.path}`, call);
          return file === undefined ? NONE : RAW_ANSWER + formatCompiledFile(file, tableOf(file.strings));
        }
        case "texts":
          return RAW_ANSWER + tables[call.table]!.bytes.toString("latin1");
        case "ends":
          return RAW_ANSWER + formatWords(tables[call.table]!.ends);
      }
    },
    save() {
      cache.save();
      scopes.length = tables.length = 0;
      known.clear();
    },
  };
}

/** Undefined for what the isolate has to find wrong, or warn of, itself. */
function parseQuietly(text: ByteString, basePath: ByteString, globals: ReadonlySet<ByteString>): CompiledFile | undefined {
  let warned = false;
  try {
    const compiled = compileNix(parseNix(text, basePath, { basePath, warn: () => (warned = true) }), globals);
    return warned ? undefined : compiled;
  } catch (error) {
    // Nested too deep for this thread it is for the other as well, which tells it.
    if (error instanceof NixError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function formatCompiledFile({ code, relocations, order, strings }: CompiledFile, table: number): string {
  const words = new Int32Array(4 + code.length + relocations.length + order.length);
  words.set([table, strings.length, code.length, relocations.length]);
  words.set(code, 4);
  words.set(relocations, 4 + code.length);
  words.set(order, 4 + code.length + relocations.length);
  return formatWords(words);
}

function formatWords(words: Int32Array | Uint32Array): string {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString("utf16le");
}
