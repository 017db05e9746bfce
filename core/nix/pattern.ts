import type { ByteString } from "../util/bytes.ts";
import { RegexMachine, type RegexMatch } from "./regex/regex-machine.ts";
import { toNativeRegex, type NativeRegex } from "./regex/native-regex.ts";
import { compileRegex, type RegexProgram } from "./regex/regex-program.ts";
import { parseRegex, type RegexRefusal, type RegexSyntax } from "./regex/regex-syntax.ts";

/** The text of each group, undefined where it took no part. */
export type PatternGroups = readonly (ByteString | undefined)[];

/** A POSIX extended regular expression, as `match` and `split` take it. */
export class Pattern {
  readonly #syntax: RegexSyntax;
  readonly #native: NativeRegex | undefined;
  #program: RegexProgram | undefined;

  constructor(syntax: RegexSyntax) {
    this.#syntax = syntax;
    this.#native = toNativeRegex(syntax);
  }

  /**
   * The groups of a match of the whole text.
   *
   * @throws RegexTooLong
   */
  match(text: ByteString): PatternGroups | undefined {
    if (this.#native !== undefined && isQuick(this.#native, text)) {
      const match = this.#native.whole.exec(text);
      return match === null ? undefined : match.slice(1);
    }
    const match = new RegexMachine(this.#compiled(), text).match();
    return match === undefined ? undefined : groupsOf(match, text);
  }

  /**
   * What stands between the matches, and the groups of each match, in turn.
   *
   * @throws RegexTooLong
   */
  split(text: ByteString): readonly (ByteString | PatternGroups)[] {
    const result: (ByteString | PatternGroups)[] = [];
    let end = 0;
    const search = this.#native?.search;
    if (search !== undefined && isQuickSearch(this.#native!, text)) {
      search.lastIndex = 0;
      for (let match = search.exec(text); match !== null; match = search.exec(text)) {
        result.push(text.slice(end, match.index), match.slice(1));
        end = search.lastIndex;
      }
      result.push(text.slice(end));
      return result;
    }
    const machine = new RegexMachine(this.#compiled(), text);
    let afterOther = false;
    let match = machine.search(0, { continuous: false, notEmpty: false, afterOther });
    while (match !== undefined) {
      result.push(text.slice(end, match[0]), groupsOf(match, text));
      end = match[1]!;
      let from = end;
      let next: RegexMatch | undefined;
      if (match[0] === match[1]) {
        if (from === text.length) break;
        // First something at the same place, then anything after the next byte.
        next = machine.search(from, { continuous: true, notEmpty: true, afterOther });
        from++;
      }
      if (next === undefined) {
        afterOther = true;
        next = machine.search(from, { continuous: false, notEmpty: false, afterOther });
      }
      match = next;
    }
    result.push(text.slice(end));
    return result;
  }

  #compiled(): RegexProgram {
    return (this.#program ??= compileRegex(this.#syntax));
  }
}

/** The pattern, or why it is none. */
export function compilePattern(text: ByteString): Pattern | RegexRefusal {
  const syntax = parseRegex(text);
  return typeof syntax === "string" ? syntax : new Pattern(syntax);
}

/** Steps that JavaScript's engine may take at worst. */
const MAXIMUM_NATIVE_STEPS = 4_000_000;

function isQuick(native: NativeRegex, text: ByteString): boolean {
  return native.ambiguity === 0 || text.length ** (native.ambiguity + 1) <= MAXIMUM_NATIVE_STEPS;
}

/** A search begins anew at each byte. */
function isQuickSearch(native: NativeRegex, text: ByteString): boolean {
  return native.ambiguity === 0 && (!native.unbounded || text.length ** 2 <= MAXIMUM_NATIVE_STEPS);
}

function groupsOf(match: RegexMatch, text: ByteString): PatternGroups {
  const groups: (ByteString | undefined)[] = [];
  for (let i = 2; i < match.length; i += 2) groups.push(match[i]! < 0 ? undefined : text.slice(match[i], match[i + 1]));
  return groups;
}
