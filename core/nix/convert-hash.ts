import { formatHash, parseHash, type HashFormat } from "../hash/hash.ts";
import { isHashAlgorithm, type HashAlgorithm } from "../hash/hash-algorithm.ts";
import { NO_POSITION, type Evaluator } from "./evaluator.ts";
import type { Slot, Value } from "./value.ts";

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
    if (text === undefined) throw e.trace(e.error("type", `attribute '${name}' missing`), "while locating the attribute 'hash'");
    return text;
  };
  const hash = need("hash");
  const name = field("hashAlgo");
  let algorithm: HashAlgorithm | undefined;
  if (name !== undefined) {
    if (!isHashAlgorithm(name)) throw e.error("eval", `unknown hash algorithm '${name}', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'`);
    algorithm = name;
  }
  const wanted = need("toHashFormat");
  const format = FORMATS.get(wanted);
  if (format === undefined) throw e.error("eval", `unknown hash format '${wanted}', expect 'base16', 'base32', 'base64', or 'sri'`);
  if (format === "nix32" && wanted === "base32") e.io.log('warning: "base32" is a deprecated alias for hash format "nix32".');
  return formatHash(parseHash(hash, algorithm), format);
}
