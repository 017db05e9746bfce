import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { globSync } from "tinyglobby";

export const root = resolve(import.meta.dirname, "../..");

// What else looks like `word.word` in the source: names of files.
const FILE = /\.(json|nix|ts|js|mjs|cjs|conf|tar|gz|d|txt|md|lock|cache|map|socket|service|target|ini|key|sqlite|db|pid|log|ca|com|net|org|drv|sh|slice|mount)$/;

// Options have names of the same form; these begin like codes.
const OPTIONS: ReadonlySet<string> = new Set(["users.users", "users.groups"]);

/**
 * Every code that the source gives an error: the texts of that form whose first word is that of some `code: "…"`.
 * Codes that helpers take as an argument are found so, too.
 */
export function findErrorCodes(): ReadonlySet<string> {
  const sources = globSync(["core/**/*.ts", "cli/**/*.ts", "modules/**/*.ts", "pkgs/**/*.ts"], { cwd: root, ignore: ["**/*.d.ts"] }).map((file) => withoutComments(readFileSync(join(root, file), "utf8")));
  const folders = new Set(sources.flatMap((text) => [...text.matchAll(/\bcode: "([a-z-]+)\.[a-z0-9-]+"/g)].map((match) => match[1]!)));
  const codes = sources.flatMap((text) => [...text.matchAll(/"([a-z-]+)\.[a-z0-9-]+"/g)].filter((match) => folders.has(match[1]!) && !FILE.test(match[0].slice(1, -1))).map((match) => match[0].slice(1, -1)));
  return new Set(codes.filter((code) => !OPTIONS.has(code)));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}
