import type { ByteString } from "../util/bytes.ts";

/** Runs of digits and runs of other characters, dots and dashes between them left out. */
export function splitVersion(version: ByteString): ByteString[] {
  return version.match(/[0-9]+|[^0-9.-]+/g) ?? [];
}

/** -1, 0 or 1. Nix: libstore/names.cc. */
export function compareVersions(left: ByteString, right: ByteString): number {
  const a = splitVersion(left);
  const b = splitVersion(right);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const x = a[i] ?? "";
    const y = b[i] ?? "";
    if (componentLess(x, y)) return -1;
    if (componentLess(y, x)) return 1;
  }
  return 0;
}

function componentLess(a: string, b: string): boolean {
  const [m, n] = [wholeNumber(a), wholeNumber(b)];
  if (m !== undefined && n !== undefined) return m < n;
  if (a === "" && n !== undefined) return true;
  if (a === "pre" && b !== "pre") return true;
  if (b === "pre") return false;
  if (n !== undefined) return true;
  if (m !== undefined) return false;
  return a < b;
}

function wholeNumber(text: string): bigint | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= 0x7fffffffn ? value : undefined;
}

/** The version starts at the first dash that no letter follows. */
export function parseDrvName(text: ByteString): { readonly name: ByteString; readonly version: ByteString } {
  const dash = text.search(/-[^a-zA-Z]/);
  return dash < 0 ? { name: text, version: "" } : { name: text.slice(0, dash), version: text.slice(dash + 1) };
}
