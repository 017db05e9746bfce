/**
 * The same expression as one of JavaScript's, where both provably find the same match in about linear time.
 *
 * They differ in: groups that keep an earlier round's text, repetitions of what may be empty, and, in a search, alternatives
 * of which a later one reaches further. Where any of these could show, or where back-tracking could become long, there is no
 * such expression.
 */
import { addFirst, isNullable, onlyByte } from "./regex-program.ts";
import type { ByteSet, RegexNode, RegexSyntax } from "./regex-syntax.ts";

export type NativeRegex = {
  /** Anchored at both ends, for a match of the whole. */
  readonly whole: RegExp;
  /** Sticky to nothing, for a search; undefined where JavaScript could find another match. */
  readonly search: RegExp | undefined;
  /** How many repetitions may have to give back what they took. */
  readonly ambiguity: number;
  /** Whether a repetition has no bound. */
  readonly unbounded: boolean;
};

/** What may come after a node: bytes, and whether the end may. */
type Follow = { readonly set: ByteSet; readonly end: boolean };

export function toNativeRegex(syntax: RegexSyntax): NativeRegex | undefined {
  let ambiguity = 0;
  let searchable = !isNullable(syntax.root);
  let alternatives = 0;
  let unbounded = false;
  const NOTHING = Symbol("no such expression");
  const write = (node: RegexNode, follow: Follow, repeated: boolean): string => {
    switch (node.kind) {
      case "set":
        return writeSet(node.set);
      case "begin":
        return "^";
      case "end":
        return "$";
      case "group":
        return `(${write(node.body, follow, repeated)})`;
      case "sequence": {
        let after = follow;
        const parts: string[] = [];
        for (let i = node.items.length - 1; i >= 0; i--) {
          parts.push(write(node.items[i]!, after, repeated));
          after = before(node.items[i]!, after);
        }
        return parts.reverse().join("");
      }
      case "alternatives": {
        const decided = node.items.every((item) => !isNullable(item)) && disjoint(node.items.map((item) => firstOf(item)));
        if (!decided) {
          searchable = false;
          alternatives++;
          if (repeated) throw NOTHING;
        }
        return `(?:${node.items.map((item) => write(item, follow, repeated)).join("|")})`;
      }
      case "repeat": {
        const { body, min, max } = node;
        if (max === 0) {
          if (hasGroup(body)) throw NOTHING;
          return "";
        }
        if (isNullable(body) || (max !== Infinity && max > 1000)) throw NOTHING;
        const many = max > 1;
        if (max === Infinity) unbounded = true;
        if (many && !groupsAlwaysSet(body)) throw NOTHING;
        const first = firstOf(body);
        const settled = min === max || !overlap(first, follow);
        if (!settled) {
          if (many && (repeated || body.kind !== "set")) throw NOTHING;
          ambiguity++;
        }
        const inner: Follow = many ? { set: union(first, follow.set), end: follow.end } : follow;
        const text = write(body, inner, repeated || many);
        const atom = body.kind === "set" || body.kind === "group" || body.kind === "alternatives" ? text : `(?:${text})`;
        const count = min === 0 && max === Infinity ? "*" : min === 1 && max === Infinity ? "+" : min === 0 && max === 1 ? "?" : `{${min},${max === Infinity ? "" : max}}`;
        return `${atom}${count}`;
      }
    }
  };
  try {
    // In a search anything may follow.
    const source = write(syntax.root, { set: new Uint8Array(256), end: true }, false);
    if (alternatives > 4) return undefined;
    return { whole: new RegExp(`^(?:${source})$`), search: searchable ? new RegExp(source, "g") : undefined, ambiguity, unbounded };
  } catch (error) {
    if (error === NOTHING || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function firstOf(node: RegexNode): ByteSet {
  const set = new Uint8Array(256);
  addFirst(node, set);
  return set;
}

function before(node: RegexNode, after: Follow): Follow {
  const set = firstOf(node);
  return isNullable(node) ? { set: union(set, after.set), end: after.end } : { set, end: false };
}

function union(a: ByteSet, b: ByteSet): ByteSet {
  return a.map((value, byte) => value | b[byte]!);
}

function overlap(set: ByteSet, follow: Follow): boolean {
  return set.some((value, byte) => value === 1 && follow.set[byte] === 1);
}

function disjoint(sets: readonly ByteSet[]): boolean {
  const seen = new Uint8Array(256);
  return sets.every((set) => set.every((value, byte) => value === 0 || ++seen[byte]! === 1));
}

function hasGroup(node: RegexNode): boolean {
  switch (node.kind) {
    case "group":
      return true;
    case "sequence": case "alternatives":
      return node.items.some(hasGroup);
    case "repeat":
      return hasGroup(node.body);
    default:
      return false;
  }
}

/** Whether each round of a repetition sets all groups in it. */
function groupsAlwaysSet(node: RegexNode): boolean {
  switch (node.kind) {
    case "group":
      return groupsAlwaysSet(node.body);
    case "sequence":
      return node.items.every(groupsAlwaysSet);
    case "alternatives":
      return !hasGroup(node);
    case "repeat":
      return node.min > 0 ? groupsAlwaysSet(node.body) : !hasGroup(node.body);
    default:
      return true;
  }
}

function writeSet(set: ByteSet): string {
  const byte = onlyByte(set);
  if (byte >= 0) return writeByte(byte);
  const parts: string[] = [];
  for (let low = 0; low < 256; low++) {
    if (set[low] === 0) continue;
    let high = low;
    while (high < 255 && set[high + 1] === 1) high++;
    parts.push(low === high ? writeByte(low) : `${writeByte(low)}-${writeByte(high)}`);
    low = high;
  }
  return `[${parts.join("")}]`;
}

function writeByte(byte: number): string {
  const text = String.fromCharCode(byte);
  return /[A-Za-z0-9]/.test(text) ? text : `\\x${byte.toString(16).padStart(2, "0")}`;
}
