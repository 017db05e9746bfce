import { fromByteString, type ByteString } from "../util/bytes.ts";

/** What no variable of TypeScript may be called, and what would hide a global that the output uses. */
const RESERVED = new Set(
  "arguments as async await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof undefined var void while with yield Math JSON Object Array String Number Error Boolean NaN Infinity".split(" "),
);

/** A variable's name: `my-host` becomes `myHost`. */
export function variableName(name: ByteString): string {
  const plain = fromByteString(name)
    .replace(/'/g, "_")
    .replace(/[^A-Za-z0-9_$]+([A-Za-z0-9])?/g, (_, next: string | undefined) => next?.toUpperCase() ?? "_");
  const safe = /^[0-9]/.test(plain) || plain === "" ? `_${plain}` : plain;
  return RESERVED.has(safe) ? `${safe}_` : safe;
}

export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name);
}

/** A property's name, as it stands in an object. */
export function propertyName(name: ByteString): string {
  const text = fromByteString(name);
  if (text === "__proto__") return '["__proto__"]';
  return isIdentifier(text) ? text : quote(text);
}

/** `.name` or `["name"]`. */
export function propertyAccess(name: ByteString): string {
  const text = fromByteString(name);
  return isIdentifier(text) ? `.${text}` : `[${quote(text)}]`;
}

export function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
