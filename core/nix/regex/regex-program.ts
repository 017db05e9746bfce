import type { ByteSet, RegexNode, RegexSyntax } from "./regex-syntax.ts";

/** What an instruction does; each is five words: code, `x`, `y`, `next`, number for remembering. */
export const RegexOp = {
  accept: 0,
  /** x: the byte */
  byte: 1,
  /** x: which set */
  set: 2,
  begin: 3,
  end: 4,
  /** x: the group */
  open: 5,
  close: 6,
  /** x: what is tried first; `next`: what is tried after it, whether or not the first one came to an end */
  alternatives: 7,
  /** x: once more; y: which counter, or -1; `next`: no more */
  repeat: 8,
  /** x: which set; y: which bounds */
  run: 9,
} as const;

export type RegexProgram = {
  readonly code: Int32Array;
  readonly start: number;
  readonly groups: number;
  readonly sets: readonly ByteSet[];
  readonly bounds: readonly { readonly min: number; readonly max: number }[];
  readonly counters: number;
  /** Instructions whose outcome at a place may be remembered. */
  readonly remembered: number;
  /** What a match may begin with; undefined where it may be empty. */
  readonly first: ByteSet | undefined;
};

/** Lays the expression out as instructions, bounded repetitions written out. */
export function compileRegex(syntax: RegexSyntax): RegexProgram {
  const code: number[] = [];
  const sets: ByteSet[] = [];
  const setIndex = new Map<ByteSet, number>();
  const bounds: { min: number; max: number }[] = [];
  let counters = 0;
  let remembered = 0;
  const emit = (op: number, x: number, y: number, next: number): number => {
    const at = code.length;
    code.push(op, x, y, next, op >= RegexOp.alternatives ? remembered++ : -1);
    return at;
  };
  const setNumber = (set: ByteSet): number => {
    let index = setIndex.get(set);
    if (index === undefined) {
      index = sets.push(set) - 1;
      setIndex.set(set, index);
    }
    return index;
  };
  /** `looped`: inside something that may run twice at the same place. */
  const build = (node: RegexNode, next: number, looped: boolean): number => {
    switch (node.kind) {
      case "set": {
        const byte = onlyByte(node.set);
        return byte >= 0 ? emit(RegexOp.byte, byte, 0, next) : emit(RegexOp.set, setNumber(node.set), 0, next);
      }
      case "begin":
        return emit(RegexOp.begin, 0, 0, next);
      case "end":
        return emit(RegexOp.end, 0, 0, next);
      case "group": {
        const close = emit(RegexOp.close, node.index, 0, next);
        return emit(RegexOp.open, node.index, 0, build(node.body, close, looped));
      }
      case "sequence": {
        let after = next;
        for (let i = node.items.length - 1; i >= 0; i--) after = build(node.items[i]!, after, looped);
        return after;
      }
      case "alternatives": {
        let before = build(node.items[0]!, next, looped);
        for (const item of node.items.slice(1)) before = emit(RegexOp.alternatives, before, 0, build(item, next, looped));
        return before;
      }
      case "repeat": {
        const { body, min, max, plus } = node;
        if (body.kind === "set" && !looped) return emit(RegexOp.run, setNumber(body.set), bounds.push({ min, max }) - 1, next);
        const counted = looped || isNullable(body);
        const counter = (): number => (counted ? counters++ : -1);
        let after = next;
        if (max === Infinity) {
          const loop = emit(RegexOp.repeat, -1, counter(), next);
          const again = build(body, loop, looped || isNullable(body));
          code[loop + 1] = again;
          if (plus) return again;
          after = loop;
        } else {
          for (let i = max - min; i > 0; i--) {
            const option = emit(RegexOp.repeat, -1, counter(), next);
            code[option + 1] = build(body, after, looped);
            after = option;
          }
        }
        for (let i = 0; i < min; i++) after = build(body, after, looped);
        return after;
      }
    }
  };
  const accept = emit(RegexOp.accept, 0, 0, -1);
  const start = build(syntax.root, accept, false);
  const first = new Uint8Array(256);
  const nullable = addFirst(syntax.root, first);
  return { code: Int32Array.from(code), start, groups: syntax.groups, sets, bounds, counters, remembered, first: nullable ? undefined : first };
}

/** The byte of a set of one, else -1. */
export function onlyByte(set: ByteSet): number {
  const byte = set.indexOf(1);
  return byte >= 0 && set.indexOf(1, byte + 1) < 0 ? byte : -1;
}

export function isNullable(node: RegexNode): boolean {
  switch (node.kind) {
    case "set":
      return false;
    case "begin": case "end":
      return true;
    case "group":
      return isNullable(node.body);
    case "sequence":
      return node.items.every(isNullable);
    case "alternatives":
      return node.items.some(isNullable);
    case "repeat":
      return node.min === 0 || isNullable(node.body);
  }
}

/** Adds what a match of the node may begin with; the result says whether it may be empty. */
export function addFirst(node: RegexNode, into: ByteSet): boolean {
  switch (node.kind) {
    case "set":
      for (let byte = 0; byte < 256; byte++) if (node.set[byte] === 1) into[byte] = 1;
      return false;
    case "begin": case "end":
      return true;
    case "group":
      return addFirst(node.body, into);
    case "sequence":
      return node.items.every((item) => addFirst(item, into));
    case "alternatives":
      return node.items.map((item) => addFirst(item, into)).includes(true);
    case "repeat":
      return node.max === 0 || addFirst(node.body, into) || node.min === 0;
  }
}
