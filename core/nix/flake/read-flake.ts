import { toByteString, type ByteString } from "../../util/bytes.ts";
import { compareByteStrings } from "../../util/ordering.ts";
import { canonicalPath } from "../canonical-path.ts";
import type { Evaluator } from "../evaluator.ts";
import { NixError } from "../nix-error.ts";
import type { NixFetcher, NixSource } from "../nix-fetcher.ts";
import { Attrs, Closure, NixPath, NixString, NO_POSITION, textOf, type Slot, type Value } from "../value.ts";
import type { InputPath } from "./flake-lock.ts";

/** An input as a `flake.nix` asks for it. */
export type FlakeInput = {
  /** With `dir`, where it has one. */
  readonly source?: NixSource | undefined;
  readonly isFlake: boolean;
  readonly follows?: InputPath | undefined;
  /** What it asks of its inputs' inputs. */
  readonly overrides: ReadonlyMap<ByteString, FlakeInput>;
};

export type FlakeFile = {
  /** The `flake.nix`, in the store. */
  readonly file: ByteString;
  readonly description: ByteString | undefined;
  readonly inputs: ReadonlyMap<ByteString, FlakeInput>;
  /** What it asks of its own fetching. */
  readonly self: NixSource;
};

export type FlakeFileContext = {
  readonly fetcher: NixFetcher;
  /** The folder that holds the `flake.nix`. */
  readonly folder: ByteString;
  /** The tree that the folder is in. */
  readonly tree: ByteString;
  /** The flake's URL, for messages. */
  readonly shown: ByteString;
  /** What `follows` is relative to. */
  readonly path: InputPath;
};

const KNOWN: ReadonlySet<string> = new Set(["description", "inputs", "outputs", "nixConfig"]);

/** Reads what a flake says of itself; its outputs are not evaluated. Nix: libflake/flake.cc, readFlake */
export function readFlake(e: Evaluator, context: FlakeFileContext): FlakeFile {
  const file = canonicalPath(`${context.folder}/flake.nix`);
  if (e.io.fileKind(file) === undefined) throw new NixError("eval", `source tree referenced by '${context.shown}' does not contain a '/${file.slice(context.tree.length + 1)}' file`);
  const value = e.call(e.force(e.globals.get("import")!), [new NixPath(file)], NO_POSITION);
  if (!(value instanceof Attrs)) throw new NixError("eval", `file '${file}' must be an attribute set`);
  const description = value.get("description");
  const outputs = value.get("outputs");
  const inputs = value.get("inputs");
  const read = inputs === undefined ? { inputs: new Map<ByteString, FlakeInput>(), self: {} } : readInputs(e, inputs, placeOf(e, value, "inputs"), context, true);
  if (description !== undefined) expectText(e, description, placeOf(e, value, "description"));
  if (outputs === undefined) throw new NixError("eval", `flake '${context.shown}' lacks attribute 'outputs'`);
  const fn = e.force(outputs);
  if (!(fn instanceof Closure)) throw expected(e, "a function", fn, placeOf(e, value, "outputs"));
  const all = new Map(read.inputs);
  if (e.lambdaInfo(fn).hasFormals) {
    for (const { name } of e.formalsOf(fn)) if (name !== "self" && !all.has(name)) all.set(name, { source: context.fetcher.parseFlakeRef(name, {}), isFlake: true, overrides: new Map() });
  }
  for (const [i, name] of value.shape.names.entries()) {
    if (!KNOWN.has(name)) throw new NixError("eval", `flake '${context.shown}' has an unsupported attribute '${name}', at ${showPlace(e, e.placeOf(value.places, i))}`);
  }
  const sortedInputs = new Map([...all].sort(([a], [b]) => compareByteStrings(a, b)));
  return { file, description: description === undefined ? undefined : textOf(e.force(description) as string | NixString), inputs: sortedInputs, self: read.self };
}

function readInputs(e: Evaluator, slot: Slot, place: number, context: FlakeFileContext, allowSelf: boolean): { readonly inputs: ReadonlyMap<ByteString, FlakeInput>; readonly self: NixSource } {
  const set = e.force(slot);
  if (!(set instanceof Attrs)) throw expected(e, "a set", set, place);
  const inputs = new Map<ByteString, FlakeInput>();
  let self: NixSource = {};
  set.shape.names.forEach((name, i) => {
    const at = e.placeOf(set.places, i);
    if (name === "self") {
      if (!allowSelf) throw new NixError("eval", `'self' input attribute not allowed at ${showPlace(e, at)}`);
      const asked = e.force(set.at(i));
      if (!(asked instanceof Attrs)) throw expected(e, "a set", asked, at);
      self = Object.fromEntries(asked.shape.names.map((key, n) => [key, readAttribute(e, key, asked.at(n))]));
    } else inputs.set(name, readInput(e, set.at(i), at, context));
  });
  return { inputs, self };
}

function readInput(e: Evaluator, slot: Slot, place: number, context: FlakeFileContext): FlakeInput {
  const set = e.force(slot);
  if (!(set instanceof Attrs)) throw expected(e, "a set", set, place);
  const attributes: Record<string, ByteString | number | boolean> = {};
  let url: ByteString | undefined;
  let isFlake = true;
  let follows: InputPath | undefined;
  let overrides: ReadonlyMap<ByteString, FlakeInput> = new Map();
  set.shape.names.forEach((name, i) => {
    const inner = set.at(i);
    const at = e.placeOf(set.places, i);
    try {
      if (name === "url") {
        const value = e.force(inner);
        if (value instanceof NixPath) {
          if (value.path !== context.tree && !value.path.startsWith(`${context.tree}/`)) throw new NixError("eval", `input attribute path '${value.path}' at ${showPlace(e, at)} must be in the same source tree as ${context.folder}`);
          url = `path:${relativePath(context.folder, value.path)}`;
        } else if (typeof value === "string" || value instanceof NixString) url = textOf(value);
        else throw new NixError("eval", `expected a string or a path but got ${e.describe(value)} at ${showPlace(e, at)}`);
        attributes["url"] = url;
      } else if (name === "flake") {
        const value = e.force(inner);
        if (typeof value !== "boolean") throw expected(e, "a Boolean", value, at);
        isFlake = value;
      } else if (name === "inputs") overrides = readInputs(e, inner, at, context, false).inputs;
      else if (name === "follows") follows = [...context.path, ...parseInputPath(expectText(e, inner, at))];
      else attributes[name] = readAttribute(e, name, inner);
    } catch (error) {
      throw e.trace(error, `while evaluating flake attribute '${name}'`, at);
    }
  });
  let source: NixSource | undefined;
  if (attributes["type"] !== undefined) {
    const { dir, ...rest } = attributes;
    try {
      source = withDir(context.fetcher.check(rest), dir);
    } catch (error) {
      throw e.trace(error, "while evaluating flake input", place);
    }
  } else {
    const other = Object.keys(attributes).find((name) => name !== "url");
    if (other !== undefined) throw new NixError("eval", `unexpected flake input attribute '${other}', at ${showPlace(e, place)}`);
    if (url !== undefined) source = context.fetcher.parseFlakeRef(url, { keepRelative: true, allowMissing: true });
  }
  if (source !== undefined && follows !== undefined) throw new NixError("eval", `flake input has both a flake reference and a follows attribute, at ${showPlace(e, place)}`);
  return { source, isFlake, follows, overrides };
}

export function withDir(source: NixSource, dir: ByteString | number | boolean | undefined): NixSource {
  return dir === undefined || dir === "" ? source : { ...source, dir };
}

/** `a/b/c`. @throws NixError */
function parseInputPath(text: ByteString): InputPath {
  const names = text.split("/").filter((name) => name !== "");
  for (const name of names) if (!/^[a-zA-Z][a-zA-Z0-9_-]*$/.test(name)) throw new NixError("eval", `invalid flake input attribute path element '${name}'`);
  return names;
}

function readAttribute(e: Evaluator, name: ByteString, slot: Slot): ByteString | number | boolean {
  const value = e.force(slot);
  if (typeof value === "string" || value instanceof NixString) return textOf(value);
  if (typeof value === "boolean") return value;
  if (typeof value === "number" || typeof value === "bigint") {
    if (value < 0) throw e.error("eval", `negative value given for flake input attribute ${name}: ${value}`);
    return Number(value);
  }
  throw e.error("type", `flake input attribute '${name}' is ${e.describe(value)} while a string, Boolean, or integer is expected`);
}

function expectText(e: Evaluator, slot: Slot, place: number): ByteString {
  const value = e.force(slot);
  if (typeof value === "string" || value instanceof NixString) return textOf(value);
  throw expected(e, "a string", value, place);
}

function expected(e: Evaluator, what: string, value: Value, place: number): NixError {
  return new NixError("eval", `expected ${what} but got ${e.describe(value)} at ${showPlace(e, place)}`);
}

function placeOf(e: Evaluator, set: Attrs, name: ByteString): number {
  return e.placeOf(set.places, set.shape.names.indexOf(name));
}

function showPlace(e: Evaluator, place: number): ByteString {
  const at = e.positionAt(place);
  return at === undefined ? toByteString("«none»") : `${at.file}:${at.line}:${at.column}`;
}

/** From one folder to a path, both absolute. */
function relativePath(folder: ByteString, path: ByteString): ByteString {
  const from = folder.split("/").slice(1);
  const to = path.split("/").slice(1);
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common++;
  return [...from.slice(common).map(() => ".."), ...to.slice(common)].join("/") || ".";
}
