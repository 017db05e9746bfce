import { lstatSync } from "node:fs";
import { resolve } from "node:path";
import { TsosError } from "../../core/error/tsos-error.ts";
import { compressHash } from "../../core/hash/compress-hash.ts";
import { formatHash, parseHash, parseSriHash, type Hash, type HashFormat } from "../../core/hash/hash.ts";
import { isHashAlgorithm, type HashAlgorithm } from "../../core/hash/hash-algorithm.ts";
import { contentHashOfPath } from "../../core/store/content-hash.ts";
import { ClassicUsageError, parseClassicArguments } from "./classic-arguments.ts";
import { answerHelp } from "./help.ts";
import type { NixEnvironment } from "./nix-environment.ts";

const FORMATS: Readonly<Record<string, HashFormat>> = { base16: "base16", base32: "nix32", base64: "base64", sri: "sri" };

/** `nix-hash`: hashes of files, and hashes in other spellings. Nix: src/nix/hash.cc */
export async function hash(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  let format: HashFormat = "base16";
  let convert = false;
  let flat = false;
  let truncate = false;
  let algorithm: HashAlgorithm | undefined;
  const options = parseClassicArguments(args, environment.env, environment.warn, (argument, value) => {
    const known = /^--(to-)?(base16|base32|base64|sri)$/.exec(argument);
    if (known !== null) {
      if (known[1] !== undefined) convert = true;
      format = FORMATS[known[2]!]!;
    } else if (argument === "--flat") flat = true;
    else if (argument === "--truncate") truncate = true;
    else if (argument === "--type") algorithm = parseAlgorithm(value());
    else return false;
    return true;
  });
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  for (const word of options.words) {
    if (!convert && lstatSync(word, { throwIfNoEntry: false }) === undefined) throw new TsosError({ code: "nix.no-file", message: `path '/${resolve(word)}' does not exist` });
    const found = convert ? parseAny(word, algorithm) : await contentHashOfPath(word, flat ? "flat" : "nar", algorithm ?? "md5", { signal: environment.signal });
    const shown = truncate && !convert && found.digest.length > 20 ? { ...found, digest: compressHash(found.digest, 20) } : found;
    environment.print(`${formatHash(shown, format, false)}\n`);
  }
  return 0;
}

/** @throws ClassicUsageError for one that is none */
export function parseAlgorithm(text: string): HashAlgorithm {
  if (isHashAlgorithm(text)) return text;
  throw new ClassicUsageError(`unknown hash algorithm '${text}', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'`);
}

/** With its algorithm before it, as SRI, or of the one that is named. */
export function parseAny(text: string, algorithm: HashAlgorithm | undefined): Hash {
  const separator = /^([a-z0-9]+)([:-])/.exec(text);
  if (separator !== null && isHashAlgorithm(separator[1]!)) {
    const found = separator[2] === "-" ? parseSriHash(text) : parseHash(text);
    if (algorithm !== undefined && found.algorithm !== algorithm) throw new TsosError({ code: "nix.hash-type", message: `hash '${text}' should have type '${algorithm}'` });
    return found;
  }
  if (algorithm === undefined) throw new TsosError({ code: "nix.hash-type", message: `hash '${text}' does not include a type, nor is the type otherwise known from context` });
  return parseHash(text, algorithm);
}
