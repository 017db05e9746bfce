import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { TsosError } from "../error/tsos-error.ts";
import { decodeBase64, encodeBase64 } from "../hash/base64.ts";
import { encodeUtf8 } from "../util/bytes.ts";

/** Who signed, by the key's name, and the Ed25519 signature's 64 bytes. */
export type Signature = { readonly keyName: string; readonly bytes: Uint8Array };

/** `cache.example.org-1:…`, as in `trusted-public-keys`. */
export type PublicKey = { readonly name: string; readonly key: KeyObject };

export type SecretKey = { readonly name: string; readonly key: KeyObject };

// What goes before the 32 bytes of a key in the containers that Node reads (RFC 8410).
const PUBLIC_PREFIX = Uint8Array.from([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);
const SECRET_PREFIX = Uint8Array.from([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]);

/** @throws TsosError `signature.malformed`. */
export function parseSignature(text: string): Signature {
  const { name, bytes } = parseNamed(text, "signature", 64);
  return { keyName: name, bytes };
}

export function formatSignature({ keyName, bytes }: Signature): string {
  return `${keyName}:${encodeBase64(bytes)}`;
}

export function parsePublicKey(text: string): PublicKey {
  const { name, bytes } = parseNamed(text, "public key", 32);
  return { name, key: createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, bytes]), format: "der", type: "spki" }) };
}

/** As `nix key generate-secret` writes it. An error does not show the text. */
export function parseSecretKey(text: string): SecretKey {
  // The seed, then the public key.
  const { name, bytes } = parseNamed(text, "secret key", 64);
  return { name, key: createPrivateKey({ key: Buffer.concat([SECRET_PREFIX, bytes.subarray(0, 32)]), format: "der", type: "pkcs8" }) };
}

export function signFingerprint(fingerprint: string, secretKey: SecretKey): Signature {
  return { keyName: secretKey.name, bytes: new Uint8Array(sign(null, encodeUtf8(fingerprint), secretKey.key)) };
}

/** Whether one of `keys`, by the name that the signature gives, made it. */
export function verifySignature(fingerprint: string, signature: Signature, keys: readonly PublicKey[]): boolean {
  return keys.some((key) => key.name === signature.keyName && verify(null, encodeUtf8(fingerprint), key.key, signature.bytes));
}

function parseNamed(text: string, what: "signature" | "public key" | "secret key", size: number): { readonly name: string; readonly bytes: Uint8Array } {
  const shown = what === "secret key" ? "" : ` "${text}"`;
  const colon = text.indexOf(":");
  let bytes: Uint8Array | undefined;
  try {
    bytes = decodeBase64(text.slice(colon + 1).trimEnd());
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
  }
  if (colon <= 0 || bytes?.length !== size) {
    throw new TsosError({ code: "signature.malformed", message: `the ${what}${shown} is not of the form "<name>:<${size} bytes in base-64>"` });
  }
  return { name: text.slice(0, colon), bytes };
}
