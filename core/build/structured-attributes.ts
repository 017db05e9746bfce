import { TsosError } from "../error/tsos-error.ts";
import { compareUtf8 } from "../util/ordering.ts";

/** The two files that a builder with structured attributes gets. */
export type StructuredAttributeFiles = { readonly json: string; readonly shell: string };

/**
 * `.attrs.json` and `.attrs.sh`. The values of `__json` go over as they are spelled, so that no number changes;
 * `additions` (`outputs`, graphs of references) come beside them or in their place.
 *
 * @throws TsosError `build.bad-structured-attributes`
 */
export function formatStructuredAttributes(text: string, additions: Readonly<Record<string, unknown>>): StructuredAttributeFiles {
  const parsed = parseObject(text);
  const members = new Map(splitMembers(text));
  for (const [key, value] of Object.entries(additions)) members.set(key, JSON.stringify(value));
  const values: Readonly<Record<string, unknown>> = { ...parsed, ...additions };
  const keys = [...members.keys()].sort(compareUtf8);
  return {
    json: `{${keys.map((key) => `${JSON.stringify(key)}:${members.get(key)!}`).join(",")}}`,
    shell: keys.map((key) => formatDeclaration(key, values[key])).join(""),
  };
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TsosError({ code: "build.bad-structured-attributes", message: `"__json" is not JSON: ${(cause as Error).message}`, cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TsosError({ code: "build.bad-structured-attributes", message: `"__json" holds ${JSON.stringify(value)}, expected an object` });
  }
  return value as Record<string, unknown>;
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
function formatDeclaration(key: string, value: unknown): string {
  if (!SHELL_NAME.test(key)) return "";
  const simple = formatSimple(value);
  if (simple !== undefined) return `declare ${key}=${simple}\n`;
  if (Array.isArray(value)) {
    const items = value.map(formatSimple);
    return items.includes(undefined) ? "" : `declare -a ${key}=(${items.map((item) => `${item} `).join("")})\n`;
  }
  if (typeof value !== "object" || value === null) return "";
  const entries = Object.entries(value).sort(([a], [b]) => compareUtf8(a, b));
  const items = entries.map(([name, item]) => [quote(name), formatSimple(item)] as const);
  if (items.some(([, item]) => item === undefined)) return "";
  return `declare -A ${key}=(${items.map(([name, item]) => `[${name}]=${item} `).join("")})\n`;
}

function formatSimple(value: unknown): string | undefined {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value).toString() : undefined;
  if (typeof value === "boolean") return value ? "1" : "";
  return value === null ? "''" : undefined;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
