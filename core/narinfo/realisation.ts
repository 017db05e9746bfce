import { TsosError } from "../error/tsos-error.ts";
import { parseStorePathBaseName, type StorePath } from "../store-path/store-path.ts";
import { compareUtf8 } from "../util/ordering.ts";
import { formatSignature, parseSignature, signFingerprint, verifySignature, type PublicKey, type SecretKey } from "./signature.ts";

/** An output by what builds it: the derivation's hash modulo, base-16 of sha256, and the output's name. */
export type OutputId = { readonly derivationHash: string; readonly output: string };

/** Which path an output of a derivation turned out to be, and who says so. Nix: libstore/realisation.cc. */
export type Realisation = OutputId & { readonly path: StorePath; /** `name:base64` each. */ readonly signatures: readonly string[] };

/** `sha256:…!out` */
export function formatOutputId({ derivationHash, output }: OutputId): string {
  return `sha256:${derivationHash}!${output}`;
}

/** @throws TsosError `realisation.malformed` */
export function parseOutputId(text: string): OutputId {
  const [, derivationHash, output] = /^sha256:([0-9a-f]{64})!([A-Za-z0-9+\-._?=]+)$/.exec(text) ?? [];
  if (derivationHash === undefined || output === undefined) throw malformed(`"${text}" is no output of a derivation, expected sha256:HASH!OUTPUT`);
  return { derivationHash, output };
}

/** The JSON of caches and of the daemon's protocol, keys sorted. */
export function formatRealisation(realisation: Realisation): string {
  return JSON.stringify({ dependentRealisations: {}, id: formatOutputId(realisation), outPath: realisation.path, signatures: [...realisation.signatures].sort(compareUtf8) });
}

/** @throws TsosError `realisation.malformed`, `store-path.*` */
export function parseRealisation(text: string): Realisation {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed("it is not JSON", cause);
  }
  const { id, outPath, signatures } = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  if (typeof id !== "string" || typeof outPath !== "string") throw malformed('it has no "id" or no "outPath"');
  const list = Array.isArray(signatures) ? signatures.filter((one) => typeof one === "string") : [];
  return { ...parseOutputId(id), path: parseStorePathBaseName(outPath.slice(outPath.lastIndexOf("/") + 1)), signatures: list };
}

/** What is signed: all but the signatures. */
export function realisationFingerprint(realisation: Realisation): string {
  return JSON.stringify({ dependentRealisations: {}, id: formatOutputId(realisation), outPath: realisation.path });
}

/** Whether somebody with one of `keys` says so. */
export function isSignedRealisation(realisation: Realisation, keys: readonly PublicKey[]): boolean {
  const fingerprint = realisationFingerprint(realisation);
  return realisation.signatures.some((signature) => verifySignature(fingerprint, parseSignature(signature), keys));
}

/** With signatures of `keys`, in the place of older ones of the same names. */
export function signRealisation(realisation: Realisation, keys: readonly SecretKey[]): Realisation {
  const fingerprint = realisationFingerprint(realisation);
  const own = keys.map((key) => signFingerprint(fingerprint, key));
  const others = realisation.signatures.filter((signature) => !own.some(({ keyName }) => signature.startsWith(`${keyName}:`)));
  return { ...realisation, signatures: [...others, ...own.map(formatSignature)] };
}

function malformed(problem: string, cause?: unknown): TsosError {
  return new TsosError({ code: "realisation.malformed", message: `a realisation cannot be read: ${problem}`, cause });
}
