/**
 * The trees of all files, one after the other in one array, with what their words refer to: strings, shapes, places.
 * What nodes remember of the sets that they met stands here too. Nothing is evaluated.
 */
import type { ByteString } from "../util/bytes.ts";
import type { CompiledFile, StringTable } from "./compile.ts";
import { formatIdentifier } from "./format-literal.ts";
import { NixError, type NixErrorKind, type NixPosition } from "./nix-error.ts";
import * as Op from "./opcode.ts";
import { BINDINGS, BINDING_SIZE, FORMALS, FORMAL_SIZE } from "./opcode.ts";
import { ShapeTable } from "./shape-table.ts";
import { positionAt, type NixSource } from "./source.ts";
import { bestMatches } from "./suggestions.ts";
import { FIRST_SYMBOLS } from "./symbol-order.ts";
import {
  MergedPlaces, NixFloat, NixPath, NO_POSITION, PickedPlaces, PlacesByName,
  type AttributePlaces, type Attrs, type Closure, type Shape, type Slot, type Value,
} from "./value.ts";

/** Of the number of slots that are remembered beside the code. */
const SEEN_BITS = 15;

/** Indices of names that every evaluation has. */
export const NAMES = { outPath: FIRST_SYMBOLS.indexOf("outPath"), type: FIRST_SYMBOLS.indexOf("type"), overrides: FIRST_SYMBOLS.indexOf("__overrides"), functor: FIRST_SYMBOLS.indexOf("__functor"), toString: FIRST_SYMBOLS.indexOf("__toString") } as const;

/** `path`: where the text was read, if the file is one that was read to be evaluated. `isPlaced`: somebody asked for a place in it. */
type LinkedFile = { readonly base: number; readonly source: NixSource; readonly path: ByteString | undefined; isPlaced: boolean };

export class CodeArea {
  readonly shapes = new ShapeTable();
  /** Of each table of strings, where its strings are in `strings`, plus one; 0: not there yet. */
  protected readonly tables = new Map<StringTable, Int32Array>();
  /** Makes room for at least so many words. */
  protected makeWords = (words: number): Int32Array => new Int32Array(Math.max(words, 1 << 23));
  protected code: Int32Array = new Int32Array(0);
  protected length = 1;
  protected readonly strings: ByteString[] = [];
  protected readonly stringIndex = new Map<ByteString, number>();
  protected readonly constants: (Value | undefined)[] = [];
  protected readonly files: LinkedFile[] = [];
  /** Shape + 1, name and slot of look-ups that were made before. */
  protected readonly seenSlots = new Int32Array(3 << SEEN_BITS);

  constructor() {
    for (const name of FIRST_SYMBOLS) this.intern(name);
  }

  /** Adds a compiled file to the tree; the result is its root. `warned`: with places of it. */
  link(file: CompiledFile, source: NixSource, path?: ByteString, warned = false): number {
    const base = this.length;
    this.length += file.code.length;
    if (this.length > this.code.length) {
      const larger = this.makeWords(Math.max(this.length, this.code.length * 2));
      larger.set(this.code);
      this.code = larger;
    }
    const code = this.code;
    code.set(file.code, base);
    const { relocations, strings } = file;
    let indices = this.tables.get(strings);
    if (indices === undefined) {
      indices = new Int32Array(strings.length);
      this.tables.set(strings, indices);
    }
    for (const local of file.order) if (indices[local] === 0) indices[local] = this.intern(strings.at(local)!) + 1;
    for (let i = 0; i < relocations.length; i++) {
      const at = base + relocations[i]!;
      code[at] = indices[code[at]!]! - 1;
    }
    this.files.push({ base, source, path, isPlaced: warned });
    return base;
  }

  protected intern(text: ByteString): number {
    let index = this.stringIndex.get(text);
    if (index === undefined) {
      index = this.strings.push(text) - 1;
      this.stringIndex.set(text, index);
    }
    return index;
  }

  /**
   * The slots of a shape in the order in which the evaluation met their names: the reference compares sets, evaluates
   * them deeply and looks for unexpected arguments in this order.
   */
  symbolOrder(shape: Shape): Int32Array {
    if (shape.symbolOrder === undefined) {
      const symbols = shape.names.map((name) => this.intern(name));
      shape.symbolOrder = Int32Array.from(symbols, (_, slot) => slot).sort((a, b) => symbols[a]! - symbols[b]!);
    }
    return shape.symbolOrder;
  }

  /** The place that a word of the tree holds. */
  positionAt(word: number): NixPosition | undefined {
    const file = this.linkedFileAt(word);
    if (file === undefined) return undefined;
    file.isPlaced = true;
    return positionAt(file.source, this.code[word]!);
  }

  /** The file of that place. */
  fileAt(word: number): ByteString | undefined {
    return this.linkedFileAt(word)?.source.file;
  }

  protected linkedFileAt(word: number): LinkedFile | undefined {
    if (word < 0 || this.code[word]! < 0) return undefined;
    let low = 0;
    let high = this.files.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.files[middle]!.base <= word) low = middle;
      else high = middle - 1;
    }
    return this.files[low];
  }

  /**
   * Of the files that were read to be evaluated, those in which nobody has asked for a place: for all that was done, it does
   * not matter where in them their tokens stand.
   */
  filesWithoutPlaces(): ReadonlySet<ByteString> {
    const placed = new Set(this.files.filter(({ isPlaced }) => isPlaced).map(({ path }) => path));
    return new Set(this.files.flatMap(({ path }) => (path === undefined || placed.has(path) ? [] : [path])));
  }

  /** The word that holds the place of attribute `slot`. */
  placeOf(places: AttributePlaces, slot: number): number {
    let at: AttributePlaces = places;
    let index = slot;
    for (;;) {
      if (typeof at === "number") return at < 0 ? NO_POSITION : at + BINDINGS + index * BINDING_SIZE + 1;
      if (Array.isArray(at)) return (at as readonly number[])[index] ?? NO_POSITION;
      if (at instanceof PlacesByName) {
        const name: ByteString = at.shape.names[index]!;
        index = at.rightShape.slotOf(name);
        if (index >= 0) at = at.right;
        else {
          index = at.leftShape.slotOf(name);
          at = at.left;
        }
        continue;
      }
      if (at instanceof PickedPlaces) {
        if (at.isRest) {
          for (const slot of at.slots) if (slot <= index) index++;
        } else index = at.slots[index]!;
        at = at.of;
        continue;
      }
      const merged = at as MergedPlaces;
      const from: number = merged.plan[index]!;
      index = from >= 0 ? from : -from - 1;
      at = from >= 0 ? merged.right : merged.left;
    }
  }

  /** The place that an expression names as its own. */
  posOf(p: number): number {
    const op = this.code[p]!;
    return op <= Op.path ? NO_POSITION : p + 1;
  }

  error(kind: NixErrorKind, message: string, pos: number = NO_POSITION, suggestions: readonly string[] = []): NixError {
    return new NixError(kind, message, this.positionAt(pos), suggestions);
  }

  trace(error: unknown, message: string, pos: number = NO_POSITION): unknown {
    if (error instanceof NixError) error.addTrace(message, this.positionAt(pos));
    return error;
  }

  missing(name: ByteString, set: Attrs, pos: number): NixError {
    return this.error("missing", `attribute '${formatIdentifier(name)}' missing`, pos, bestMatches(set.shape.names, name));
  }

  protected constant(p: number): Value {
    const index = this.code[p + 1]!;
    const op = this.code[p]!;
    const cached = op === Op.path ? this.constants[index] : undefined;
    if (cached !== undefined) return cached;
    const text = this.strings[index]!;
    if (op === Op.float) return new NixFloat(Number(text));
    if (op === Op.bigInt) {
      const value = BigInt(text);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    return (this.constants[index] = new NixPath(text));
  }

  /** The slot of the name of index `name`, or -1; the word at `cell` and the one after it remember it for sets of the same shape. */
  protected seenSlot(shape: Shape, cell: number, name: number): number {
    if (this.code[cell] === shape.id) return this.code[cell + 1]!;
    const slot = this.findSlot(shape, name);
    // What comes before may have made the array a larger one.
    this.code[cell] = shape.id;
    this.code[cell + 1] = slot;
    return slot;
  }

  /** The same for a place in the code that has no words of its own, or that sees many shapes. */
  protected findSlot(shape: Shape, name: number): number {
    const seen = this.seenSlots;
    const at = ((Math.imul(shape.id, 0x9e3779b1) + Math.imul(name, 0x85ebca6b)) >>> (32 - SEEN_BITS)) * 3;
    // Empty entries are 0.
    if (seen[at] === shape.id + 1 && seen[at + 1] === name) return seen[at + 2]!;
    const slot = shape.slotOf(this.strings[name]!);
    seen[at] = shape.id + 1;
    seen[at + 1] = name;
    seen[at + 2] = slot;
    return slot;
  }

  /** One of the names that the evaluator itself asks for. */
  protected known(set: Attrs, name: number): Slot | undefined {
    const slot = this.findSlot(set.shape, name);
    return slot < 0 ? undefined : set.at(slot);
  }

  /** `functionArgs`: names and whether they have a default. */
  formalsOf(fn: Closure): readonly { readonly name: ByteString; readonly hasDefault: boolean; readonly place: number }[] {
    const code = this.code;
    const n = Math.max(0, code[fn.code + 4]!);
    const formals = Array.from({ length: n }, (_, i) => {
      const cell = fn.code + FORMALS + i * FORMAL_SIZE;
      return { name: this.strings[code[cell]!]!, hasDefault: code[cell + 2] !== 0, place: cell + 1 };
    });
    return formals.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What XML prints of a function: its place, its argument, its formals. */
  lambdaInfo(fn: Closure): { readonly place: number; readonly argument: ByteString | undefined; readonly hasFormals: boolean; readonly ellipsis: boolean; readonly name: ByteString | undefined } {
    const code = this.code;
    const p = fn.code;
    return {
      place: p + 1,
      argument: code[p + 3]! < 0 ? undefined : this.strings[code[p + 3]!]!,
      hasFormals: code[p + 4]! >= 0,
      ellipsis: code[p + 5] === 1,
      name: code[p + 2]! < 0 ? undefined : this.strings[code[p + 2]!]!,
    };
  }
}
