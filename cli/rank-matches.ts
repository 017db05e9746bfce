import { compareUtf8 } from "../core/util/ordering.ts";

/** What is searched of one thing. */
export type SearchText = { readonly name: string; readonly description: string };

/**
 * The things that have every word in their name or description, the best first: names that are or begin with a
 * word, then names with a part that is or begins with it, then descriptions; of equals the shorter name.
 *
 * @example
 * rankMatches(["host"], ["networking.hostName", "services.nginx.virtualHosts"], (name) => ({ name, description: "" }))
 * // ["networking.hostName", "services.nginx.virtualHosts"]
 */
export function rankMatches<T>(words: readonly string[], things: readonly T[], describe: (thing: T) => SearchText): readonly T[] {
  const wanted = words.flatMap((word) => word.toLowerCase().split(/\s+/)).filter((word) => word !== "");
  const matches = things.flatMap((thing) => {
    const { name, description } = describe(thing);
    const scores = wanted.map((word) => scoreWord(word, name, description));
    return scores.includes(0) ? [] : [{ thing, name, score: scores.reduce((sum, score) => sum + score, 0) }];
  });
  return matches.sort((a, b) => b.score - a.score || a.name.length - b.name.length || compareUtf8(a.name, b.name)).map(({ thing }) => thing);
}

function scoreWord(word: string, name: string, description: string): number {
  const lower = name.toLowerCase();
  if (lower === word) return 100;
  if (lower.startsWith(word)) return 80;
  const segments = lower.split(".");
  if (segments.at(-1) === word) return 70;
  if (segments.includes(word)) return 60;
  if (segments.some((segment) => segment.startsWith(word))) return 50;
  // virtualHosts → virtual, hosts; unix-utils → unix, utils.
  const parts = name.split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])/).map((part) => part.toLowerCase());
  if (parts.includes(word)) return 45;
  if (parts.some((part) => part.startsWith(word))) return 40;
  if (lower.includes(word)) return 30;
  const text = description.toLowerCase();
  const spoken = text.split(/[^\p{L}\p{N}]+/u);
  if (spoken.includes(word)) return 20;
  if (spoken.some((part) => part.startsWith(word))) return 15;
  return text.includes(word) ? 10 : 0;
}
