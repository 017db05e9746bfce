import { formatHash, type HashFormat } from "../hash/hash.ts";
import type { Evaluator } from "./evaluator.ts";
import { parseAlgorithm, parseHashText } from "./hash-text.ts";
import { NO_POSITION, type Slot, type Value } from "./value.ts";

const FORMATS: ReadonlyMap<string, HashFormat> = new Map([["base16", "base16"], ["nix32", "nix32"], ["base32", "nix32"], ["base64", "base64"], ["sri", "sri"]]);

/** `builtins.convertHash` */
export function convertHashFormat(e: Evaluator, slot: Slot): Value {
  const set = e.forceAttrs(slot, NO_POSITION, "while evaluating the first argument passed to builtins.convertHash");
  const field = (name: string): string | undefined => {
    const found = set.get(name);
    return found === undefined ? undefined : e.forceStringNoContext(found, NO_POSITION, `while evaluating the attribute '${name}'`);
  };
  const need = (name: string): string => {
    const text = field(name);
    if (text === undefined) throw e.trace(e.error("type", `attribute '${name}' missing`), `while locating the attribute '${name}'`);
    return text;
  };
  const hash = need("hash");
  const name = field("hashAlgo");
  const algorithm = name === undefined ? undefined : parseAlgorithm(name, e.settings);
  const wanted = need("toHashFormat");
  const format = FORMATS.get(wanted);
  if (format === undefined) throw e.error("eval", `unknown hash format '${wanted}', expect 'base16', 'base32', 'base64', or 'sri'`);
  if (wanted === "base32") e.io.log('warning: "base32" is a deprecated alias for hash format "nix32".');
  return formatHash(parseHashText(hash, algorithm, e.settings), format);
}
