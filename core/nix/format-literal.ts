import type { ByteString } from "../util/bytes.ts";

const RESERVED = new Set(["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"]);

/** A name as it may stand in Nix: bare where that is possible, else as a string. */
export function formatIdentifier(name: ByteString): ByteString {
  return /^[a-zA-Z_][a-zA-Z0-9_'-]*$/.test(name) && !RESERVED.has(name) ? name : formatStringLiteral(name);
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "${": "\\${" };

export function formatStringLiteral(text: ByteString): ByteString {
  return `"${/["\\\n\r\t$]/.test(text) ? text.replace(/["\\\n\r\t]|\$\{/g, (c) => ESCAPES[c]!) : text}"`;
}
