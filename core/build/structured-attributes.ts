import { compareUtf8 } from "../util/ordering.ts";
import { parseStructuredAttributes } from "./derivation-attributes.ts";

/** The two files that a builder with structured attributes gets. */
export type StructuredAttributeFiles = { readonly json: string; readonly shell: string };

/**
 * `.attrs.json` and `.attrs.sh`. The values of `__json` go over as they are spelled, so that no number changes;
 * `additions` (`outputs`, graphs of references) come beside them or in their place.
 *
 * @throws TsosError `build.bad-structured-attributes`
 */
export function formatStructuredAttributes(text: string, additions: Readonly<Record<string, unknown>>): StructuredAttributeFiles {
  const parsed = parseStructuredAttributes(text);
  const members = new Map(splitMembers(text));
  for (const [key, value] of Object.entries(additions)) members.set(key, JSON.stringify(value));
  const values: Readonly<Record<string, unknown>> = { ...parsed, ...additions };
  const keys = [...members.keys()].sort(compareUtf8);
  return {
    json: `{${keys.map((key) => `${JSON.stringify(key)}:${members.get(key)!}`).join(",")}}`,
    shell: keys.map((key) => formatDeclaration(key, values[key], members.get(key)!)).join(""),
  };
}

/** The members of a JSON object that is known to parse: key and the value's own spelling. */
function* splitMembers(text: string): Generator<[key: string, value: string]> {
  let depth = 0;
  let start = -1;
  let key: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      const from = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === "\\") i++;
      if (depth === 1 && key === undefined) {
        key = JSON.parse(text.slice(from, i + 1)) as string;
        start = text.indexOf(":", i + 1) + 1;
        i = start - 1;
      }
    } else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]" || character === ",") {
      if (depth === 1 && key !== undefined) {
        yield [key, text.slice(start, i).trim()];
        key = undefined;
      }
      if (character !== ",") depth--;
    }
  }
}

const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What bash cannot hold (nested lists and sets, fractions) is left out, as in Nix. */
function formatDeclaration(key: string, value: unknown, spelling: string): string {
  if (!SHELL_NAME.test(key)) return "";
  const simple = formatSimple(value, spelling);
  if (simple !== undefined) return `declare ${key}=${simple}\n`;
  if (Array.isArray(value)) {
    const items = value.map((item) => formatSimple(item));
    return items.includes(undefined) ? "" : `declare -a ${key}=(${items.map((item) => `${item} `).join("")})\n`;
  }
  if (typeof value !== "object" || value === null) return "";
  const entries = Object.entries(value).sort(([a], [b]) => compareUtf8(a, b));
  const items = entries.map(([name, item]) => [quote(name), formatSimple(item)] as const);
  if (items.some(([, item]) => item === undefined)) return "";
  return `declare -A ${key}=(${items.map(([name, item]) => `[${name}]=${item} `).join("")})\n`;
}

function formatSimple(value: unknown, spelling?: string): string | undefined {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") return formatNumber(value, spelling);
  if (typeof value === "boolean") return value ? "1" : "";
  return value === null ? "''" : undefined;
}

/**
 * As the reference writes it, of which builders must see no other: what has no fraction at the precision of 32 bits goes through an
 * integer of 32 bits. Nix: libstore/parsed-derivations.cc, handleSimpleType
 */
function formatNumber(value: number, spelling = String(value)): string | undefined {
  if (!Number.isInteger(Math.fround(value))) return undefined;
  if (/^-?[0-9]+$/.test(spelling)) return BigInt.asIntN(32, BigInt(spelling)).toString();
  const whole = Math.trunc(value);
  return String(whole >= -(2 ** 31) && whole < 2 ** 31 ? whole : -(2 ** 31));
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
