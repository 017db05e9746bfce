/**
 * Matches as libstdc++ does for POSIX extended expressions: alternatives are tried from left to right and all of them, the
 * longest match wins and of equal ones the first; a repetition takes as much as it can and gives back only what it must;
 * groups keep what they held in an earlier round; the same repetition is entered at most twice at one place.
 *
 * Unlike there, no expression takes exponential time: what came of an instruction at a place, entered with no repetition
 * under way at that place, depends on nothing else, so it is remembered once a search becomes long.
 */
import type { ByteString } from "../../util/bytes.ts";
import { RegexOp, type RegexProgram } from "./regex-program.ts";

/** Start and end of the match and of each group, -1 where a group took no part. */
export type RegexMatch = Int32Array;

const FALLBACK = 0;
const ALTERNATIVE = 1;
const MERGE = 2;
const RESTORE_OPEN = 3;
const RESTORE_CLOSE = 4;
const RESTORE_COUNTER = 5;
const RUN = 6;
const REMEMBER = 7;
const REMEMBER_COUNTED = 8;
/** Words of a frame: kind and three more. */
const FRAME = 4;

const REMEMBER_AFTER = 2_000;
const DENSE_LIMIT = 1 << 24;
const FAILED = 1;
/** For any text, and for each of its bytes. */
const MAXIMUM_STEPS = 300_000_000;
const MAXIMUM_STEPS_A_BYTE = 200;

/** Thrown where even remembering does not bound the work. */
export class RegexTooLong extends Error {}

/** Searches in one text; what was learnt of it serves the next search. */
export class RegexMachine {
  readonly #program: RegexProgram;
  readonly #text: ByteString;
  readonly #opened: Int32Array;
  readonly #closed: Int32Array;
  readonly #counterPlace: Int32Array;
  readonly #counterValue: Uint8Array;
  #best: Int32Array;
  #bestEnd = -1;
  #stack = new Int32Array(1024);
  #steps = 0;
  #dense: Int32Array | undefined;
  #sparse: Map<number, number> | undefined;
  /** The rounds under way with which an instruction failed at a place: with more of them it fails too. */
  readonly #counted = new Map<number, Uint8Array>();
  #countedAtStart = new Map<number, Uint8Array>();
  /** For each run: all places from the first to the second are known to lead nowhere. */
  #runFailed: Int32Array | undefined;
  /** For each run: from the first to the second only bytes of its set. */
  #runKnown: Int32Array | undefined;

  constructor(program: RegexProgram, text: ByteString) {
    this.#program = program;
    this.#text = text;
    this.#opened = new Int32Array(program.groups + 1).fill(-1);
    this.#closed = new Int32Array(program.groups + 1).fill(-1);
    this.#counterPlace = new Int32Array(program.counters).fill(-1);
    this.#counterValue = new Uint8Array(program.counters);
    this.#best = new Int32Array(2 * program.groups + 2);
  }

  /** The whole text. */
  match(): RegexMatch | undefined {
    return this.#run(0, true, true, false) ? this.#result(0) : undefined;
  }

  /**
   * The first match from `from` on.
   * - `continuous`: only there
   * - `notEmpty`: an empty match at the place where it is tried does not count
   * - `afterOther`: `from` is not the beginning of the text for `^`
   */
  search(from: number, options: { readonly continuous: boolean; readonly notEmpty: boolean; readonly afterOther: boolean }): RegexMatch | undefined {
    const { first } = this.#program;
    const n = this.#text.length;
    for (let at = from; at <= n; at++) {
      const possible = first === undefined || (at < n && first[this.#text.charCodeAt(at)] === 1);
      if (possible && this.#run(at, false, at === from && !options.afterOther, options.notEmpty)) return this.#result(at);
      if (options.continuous) return undefined;
    }
    return undefined;
  }

  #result(start: number): RegexMatch {
    const result = this.#best.slice();
    result[0] = start;
    result[1] = this.#bestEnd;
    return result;
  }

  /** 0 unknown, FAILED, or else whether it came to an end in the search that began at `start`. */
  #recall(key: number): number {
    return this.#dense === undefined ? (this.#sparse?.get(key) ?? 0) : this.#dense[key]!;
  }

  #remember(key: number, value: number): void {
    if (this.#dense === undefined && this.#sparse === undefined) {
      const size = this.#program.remembered * (this.#text.length + 1);
      if (size <= DENSE_LIMIT) this.#dense = new Int32Array(size);
      else this.#sparse = new Map();
    }
    if (this.#dense !== undefined) this.#dense[key] = value;
    else this.#sparse!.set(key, value);
  }

  /** Of each counter, how often its repetition was entered at this place. */
  #rounds(at: number): Uint8Array {
    return this.#counterValue.map((value, counter) => (this.#counterPlace[counter] === at ? value : 0));
  }

  /** Whether at least those rounds are under way that led nowhere. */
  #fails(failed: Uint8Array | undefined, at: number): boolean {
    if (failed === undefined) return false;
    for (let counter = 0; counter < failed.length; counter++) {
      if (failed[counter]! > (this.#counterPlace[counter] === at ? this.#counterValue[counter]! : 0)) return false;
    }
    return true;
  }

  /** How far the bytes of the set of the run at `pc` reach. */
  #reach(number: number, set: Uint8Array, from: number, limit: number): number {
    const known = (this.#runKnown ??= new Int32Array(2 * this.#program.remembered).fill(-1));
    let end = from;
    if (from >= known[2 * number]! && from < known[2 * number + 1]!) end = known[2 * number + 1]!;
    else {
      const text = this.#text;
      const n = text.length;
      const stop = limit < n - from ? from + limit : n;
      while (end < stop && set[text.charCodeAt(end)] === 1) end++;
      if (end - from > 16 && limit === Infinity) {
        known[2 * number] = from;
        known[2 * number + 1] = end;
      }
      return end;
    }
    return limit < end - from ? from + limit : end;
  }

  #run(start: number, whole: boolean, atBegin: boolean, notEmpty: boolean): boolean {
    const { code, sets, bounds } = this.#program;
    const text = this.#text;
    const n = text.length;
    const places = n + 1;
    const opened = this.#opened;
    const closed = this.#closed;
    const counterPlace = this.#counterPlace;
    const counterValue = this.#counterValue;
    let stack = this.#stack;
    let top = 0;
    let pc = this.#program.start;
    let at = start;
    let solved = false;
    /** No repetition is under way at this place. */
    let fresh = false;
    this.#bestEnd = -1;
    if (this.#countedAtStart.size > 0) this.#countedAtStart = new Map();
    const push = (kind: number, a: number, b: number, c: number): void => {
      if (top + FRAME > stack.length) {
        const larger = new Int32Array(stack.length * 2);
        larger.set(stack);
        this.#stack = stack = larger;
      }
      stack[top] = kind;
      stack[top + 1] = a;
      stack[top + 2] = b;
      stack[top + 3] = c;
      top += FRAME;
    };
    for (;;) {
      // Forwards until nothing can follow.
      forward: for (;;) {
        this.#steps++;
        const next = code[pc + 3]!;
        if (fresh && code[pc + 4]! >= 0 && this.#steps > REMEMBER_AFTER) {
          const key = code[pc + 4]! * places + at;
          const known = this.#recall(key);
          if (known === FAILED) break forward;
          if (known === start + 2) {
            solved = true;
            break forward;
          }
          push(REMEMBER, key, 0, 0);
        } else if (!fresh && counterValue.length > 0 && code[pc + 4]! >= 0 && this.#steps > REMEMBER_AFTER) {
          const key = code[pc + 4]! * places + at;
          if (this.#fails((at === start ? this.#countedAtStart : this.#counted).get(key), at)) break forward;
          push(REMEMBER_COUNTED, key, at, 0);
        }
        switch (code[pc]) {
          case RegexOp.byte:
            if (at >= n || text.charCodeAt(at) !== code[pc + 1]) break forward;
            at++;
            fresh = true;
            break;
          case RegexOp.set:
            if (at >= n || sets[code[pc + 1]!]![text.charCodeAt(at)] !== 1) break forward;
            at++;
            fresh = true;
            break;
          case RegexOp.begin:
            if (at !== start || !atBegin) break forward;
            break;
          case RegexOp.end:
            if (at !== n) break forward;
            break;
          case RegexOp.open: {
            const group = code[pc + 1]!;
            push(RESTORE_OPEN, group, opened[group]!, 0);
            opened[group] = at;
            break;
          }
          case RegexOp.close: {
            const group = code[pc + 1]!;
            push(RESTORE_CLOSE, group, closed[group]!, 0);
            closed[group] = at;
            break;
          }
          case RegexOp.alternatives:
            push(ALTERNATIVE, next, at, fresh ? 1 : 0);
            pc = code[pc + 1]!;
            continue forward;
          case RegexOp.repeat: {
            const counter = code[pc + 2]!;
            push(FALLBACK, next, at, fresh ? 1 : 0);
            if (counter >= 0) {
              const value = counterValue[counter]!;
              if (value === 0 || counterPlace[counter] !== at) {
                push(RESTORE_COUNTER, counter, counterPlace[counter]!, value);
                counterPlace[counter] = at;
                counterValue[counter] = 1;
              } else if (value < 2) {
                push(RESTORE_COUNTER, counter, at, value);
                counterValue[counter] = value + 1;
              } else break forward;
              fresh = false;
            }
            pc = code[pc + 1]!;
            continue forward;
          }
          case RegexOp.run: {
            const { min, max } = bounds[code[pc + 2]!]!;
            const number = code[pc + 4]!;
            const end = this.#reach(number, sets[code[pc + 1]!]!, at, max);
            const low = at + min;
            if (end < low) break forward;
            if (end > at) {
              const failed = this.#runFailed;
              // What is known to lead nowhere is left out.
              const highest = max === Infinity && failed !== undefined && failed[2 * number + 1] === end ? Math.min(end, failed[2 * number]! - 1) : end;
              if (highest < low) break forward;
              if (highest > at) {
                if (highest > low || max === Infinity) push(RUN, pc, low, highest);
                at = highest;
                fresh = true;
              }
            }
            break;
          }
          default: {
            // Accepted.
            if (whole ? at === n : !(notEmpty && at === start)) {
              solved = true;
              if (at > this.#bestEnd) {
                this.#bestEnd = at;
                const best = this.#best;
                for (let group = 1; group < opened.length; group++) {
                  const last = closed[group]!;
                  best[2 * group] = last < 0 ? -1 : opened[group]!;
                  best[2 * group + 1] = last;
                }
              }
              // Nothing can be longer.
              if (at === n) {
                this.#reset();
                return true;
              }
            }
            break forward;
          }
        }
        pc = next;
      }
      if (this.#steps > MAXIMUM_STEPS + n * MAXIMUM_STEPS_A_BYTE) throw new RegexTooLong();
      // Back to the last place where something else can be tried.
      for (;;) {
        if (top === 0) return this.#bestEnd >= 0;
        top -= FRAME;
        const a = stack[top + 1]!;
        const b = stack[top + 2]!;
        const c = stack[top + 3]!;
        const kind = stack[top]!;
        if (kind === FALLBACK) {
          if (solved) continue;
          pc = a;
          at = b;
          fresh = c === 1;
          break;
        }
        if (kind === RUN) {
          if (solved) continue;
          if (c > b) {
            at = c - 1;
            stack[top + 3] = at;
            top += FRAME;
            pc = code[a + 3]!;
            // With nothing taken, what was under way before still is.
            fresh = at > b || bounds[code[a + 2]!]!.min > 0;
            break;
          }
          this.#noteFailedRun(a, b);
          continue;
        }
        if (kind === ALTERNATIVE) {
          push(MERGE, solved ? 1 : 0, 0, 0);
          solved = false;
          pc = a;
          at = b;
          fresh = c === 1;
          break;
        }
        if (kind === MERGE) {
          if (a === 1) solved = true;
        } else if (kind === RESTORE_OPEN) opened[a] = b;
        else if (kind === RESTORE_CLOSE) closed[a] = b;
        else if (kind === RESTORE_COUNTER) {
          counterPlace[a] = b;
          counterValue[a] = c;
        } else if (kind === REMEMBER) this.#remember(a, solved ? start + 2 : FAILED);
        else if (!solved) (b === start ? this.#countedAtStart : this.#counted).set(a, this.#rounds(b));
      }
    }
  }

  /** All continuations of the run at `pc` from `least` to the end of its bytes have failed. */
  #noteFailedRun(pc: number, least: number): void {
    const { code, sets, bounds } = this.#program;
    const { min, max } = bounds[code[pc + 2]!]!;
    if (max !== Infinity) return;
    const number = code[pc + 4]!;
    const low = min === 0 ? least + 1 : least;
    const end = this.#reach(number, sets[code[pc + 1]!]!, least, Infinity);
    const failed = (this.#runFailed ??= new Int32Array(2 * this.#program.remembered).fill(-1));
    if (failed[2 * number + 1] === end) failed[2 * number] = Math.min(low, failed[2 * number]!);
    else {
      failed[2 * number] = low;
      failed[2 * number + 1] = end;
    }
  }

  #reset(): void {
    this.#opened.fill(-1);
    this.#closed.fill(-1);
    this.#counterPlace.fill(-1);
    this.#counterValue.fill(0);
  }
}
