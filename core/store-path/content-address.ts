import { TsosError } from "../error/tsos-error.ts";
import { parseHash, parseSriHash, formatHash, type Hash } from "../hash/hash.ts";
import { parseHashAlgorithm, type HashAlgorithm } from "../hash/hash-algorithm.ts";
import { findNearestName } from "../util/suggest.ts";

/**
 * How a store object is hashed: the bytes of its one file, its NAR, the bytes of a text with references, or
 * as git hashes a blob or tree.
 */
export type ContentAddressMethod = "flat" | "nar" | "text" | "git";

/** What a store object is by its contents. */
export type ContentAddress = { readonly method: ContentAddressMethod; readonly hash: Hash };

const METHODS: readonly ContentAddressMethod[] = ["flat", "nar", "text", "git"];

/** Nix: libstore/content-address.cc, renderPrefix. */
const PREFIXES: Readonly<Record<ContentAddressMethod, string>> = { flat: "", nar: "r:", text: "text:", git: "git:" };

/** `text:` is no file ingestion method and has its own form. */
const FIXED_PREFIX = "fixed:";

/** `flat`, `nar` (also called `recursive`), `text`, `git`, as in `outputHashMode`. */
export function parseContentAddressMethod(text: string): ContentAddressMethod {
  if (text === "recursive") return "nar";
  const method = METHODS.find((candidate) => candidate === text);
  if (method !== undefined) return method;
  const nearest = findNearestName(text, [...METHODS, "recursive"]);
  throw new TsosError({
    code: "content-address.unknown-method",
    message: `unknown content address method "${text}", expected one of ${METHODS.join(", ")}`,
    hint: nearest === undefined ? undefined : `did you mean ${nearest}?`,
    data: { method: text },
  });
}

/**
 * As the database, narinfo and the daemon's protocol write it.
 *
 * @example
 * formatContentAddress({ method: "nar", hash }) // "fixed:r:sha256:1lr187v6dck1rjh2j6svpikcfz53wyl3qrlcbb405zlh13x0khhh"
 */
export function formatContentAddress({ method, hash }: ContentAddress): string {
  return `${method === "text" ? "" : FIXED_PREFIX}${PREFIXES[method]}${formatHash(hash, "nix32", true)}`;
}

/** @throws TsosError `content-address.malformed`, `hash.*`. */
export function parseContentAddress(text: string): ContentAddress {
  if (text.startsWith("text:")) {
    return { method: "text", hash: checkMethodHash("text", parsePrefixedHash(text, text.slice("text:".length))) };
  }
  if (!text.startsWith(FIXED_PREFIX)) {
    throw new TsosError({
      code: "content-address.malformed",
      message: `content address "${text}" must begin with "text:" or "fixed:"`,
      data: { contentAddress: text },
    });
  }
  const { method, rest } = splitMethodPrefix(text.slice(FIXED_PREFIX.length));
  return { method, hash: checkMethodHash(method, parsePrefixedHash(text, rest)) };
}

function parsePrefixedHash(text: string, rest: string): Hash {
  const colon = rest.indexOf(":");
  if (colon < 0) {
    throw new TsosError({
      code: "content-address.malformed",
      message: `content address "${text}" must end with an algorithm, a colon and a hash`,
      data: { contentAddress: text },
    });
  }
  return parseHash(rest.slice(colon + 1), parseHashAlgorithm(rest.slice(0, colon)));
}

function splitMethodPrefix(text: string): { method: ContentAddressMethod; rest: string } {
  for (const method of ["nar", "git", "text"] as const) {
    if (text.startsWith(PREFIXES[method])) return { method, rest: text.slice(PREFIXES[method].length) };
  }
  return { method: "flat", rest: text };
}

/** As the third field of a `.drv` output: `sha256`, `r:sha256`, `text:sha256`, `git:sha1`. */
export function formatMethodAndAlgorithm(method: ContentAddressMethod, algorithm: HashAlgorithm): string {
  return PREFIXES[method] + algorithm;
}

export function parseMethodAndAlgorithm(text: string): { readonly method: ContentAddressMethod; readonly algorithm: HashAlgorithm } {
  const { method, rest } = splitMethodPrefix(text);
  return { method, algorithm: parseHashAlgorithm(rest) };
}

/** The hash, when `method` goes with its algorithm: text is only ever sha256, git sha1 or sha256. */
export function checkMethodHash(method: ContentAddressMethod, hash: Hash): Hash {
  checkMethodAlgorithm(method, hash.algorithm);
  return hash;
}

/** @throws TsosError `content-address.wrong-algorithm`. */
export function checkMethodAlgorithm(method: ContentAddressMethod, algorithm: HashAlgorithm): void {
  const allowed: readonly HashAlgorithm[] | undefined = method === "text" ? ["sha256"] : method === "git" ? ["sha1", "sha256"] : undefined;
  if (allowed === undefined || allowed.includes(algorithm)) return;
  throw new TsosError({
    code: "content-address.wrong-algorithm",
    message: `the method ${method} does not go with "${algorithm}", expected ${allowed.join(" or ")}`,
    data: { method, algorithm },
  });
}

/** The JSON form of Nix 2.33 and later: `{ "method": "nar", "hash": "sha256-…" }`. */
export type ContentAddressJson = { readonly method: ContentAddressMethod; readonly hash: string };

export function contentAddressToJson({ method, hash }: ContentAddress): ContentAddressJson {
  return { method, hash: formatHash(hash, "sri") };
}

export function contentAddressFromJson(json: { readonly method: string; readonly hash: string }): ContentAddress {
  const method = parseContentAddressMethod(json.method);
  return { method, hash: checkMethodHash(method, parseSriHash(json.hash)) };
}
