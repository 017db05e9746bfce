import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/**
 * Whether a word that may be a file of expressions is a flake: something in one (`#`), a URL of a flake, or a
 * folder that has no `default.nix` and stands in a flake.
 */
export function namesFlake(word: string): boolean {
  const found = word === "" ? undefined : statSync(word, { throwIfNoEntry: false });
  if (found === undefined) return word === "" || word.includes("#") || /\?dir=/.test(word) || /^(path|git|github|gitlab|sourcehut|(git|hg|tarball|file)\+[a-z]+):/.test(word);
  if (!found.isDirectory() || existsSync(join(word, "default.nix"))) return false;
  for (let folder = resolve(word); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "flake.nix"))) return true;
    if (folder === dirname(folder)) return false;
  }
}

/** `.#a.b`: the flake, and what follows `#`. */
export function splitFlakeReference(word: string): { readonly ref: string; readonly attribute: string } {
  const hash = word.indexOf("#");
  return hash < 0 ? { ref: word === "" ? "." : word, attribute: "" } : { ref: hash === 0 ? "." : word.slice(0, hash), attribute: decodeURIComponent(word.slice(hash + 1)) };
}

/** `a.b^dev,out` and `a.b^*`. Nix: libstore/outputs-spec.cc */
export function splitOutputs(word: string): { readonly attribute: string; readonly outputs: string | undefined } {
  const found = /^(.*)\^(\*|[A-Za-z0-9+\-._?=]+(?:,[A-Za-z0-9+\-._?=]+)*)$/s.exec(word);
  return found === null ? { attribute: word, outputs: undefined } : { attribute: found[1]!, outputs: found[2] };
}
