import { TsosError } from "../error/tsos-error.ts";
import { parseHash } from "../hash/hash.ts";
import { checkMethodAlgorithm, parseMethodAndAlgorithm } from "../store-path/content-address.ts";
import { outputPathName } from "../store-path/make-store-path.ts";
import { checkStorePathName } from "../store-path/store-path-name.ts";
import { DEFAULT_STORE_DIR, parseStorePath, type StorePath } from "../store-path/store-path.ts";
import { bytesToByteString, type ByteString } from "../util/bytes.ts";
import type { Derivation, DerivationOutput, DynamicInput } from "./derivation.ts";
import { derivationOutputPath } from "./derivation-output-paths.ts";

/** Deeper nesting of dynamic inputs than any that is built; a limit keeps hostile text off the stack. */
const MAX_DYNAMIC_DEPTH = 64;

/**
 * A `.drv` file. Nix's own are in one canonical form; a list out of order is read as well, a double entry is not.
 *
 * @param name the derivation's name, which the text itself does not hold: the store path's without `.drv`
 * @throws TsosError `derivation.malformed` with the byte's offset, `derivation.wrong-output-path` when a fixed
 *   output's path is not what its hash makes.
 */
export function parseDerivation(text: Uint8Array | ByteString, name: string, storeDir: string = DEFAULT_STORE_DIR): Derivation {
  const reader = new AtermReader(typeof text === "string" ? text : bytesToByteString(text), name);
  const dynamic = parseHeader(reader);

  const outputs = new Map<string, DerivationOutput>();
  reader.expect("[");
  for (let first = true; reader.next(first); first = false) {
    const start = reader.position;
    reader.expect("(");
    const outputName = reader.string();
    reader.expect(",");
    const path = reader.string();
    reader.expect(",");
    const methodAndAlgorithm = reader.string();
    reader.expect(",");
    const hash = reader.string();
    reader.expect(")");
    if (outputs.has(outputName)) throw reader.malformed(`the output "${outputName}" stands twice`, start);
    const output = reader.at(start, `output "${outputName}"`, () => {
      checkStorePathName(outputPathName(name, outputName));
      return parseOutput(path, methodAndAlgorithm, hash, storeDir);
    });
    if (output.kind === "fixed") checkFixedPath(reader, start, name, outputName, output, path, storeDir);
    outputs.set(outputName, output);
  }

  reader.expect(",[");
  const inputDerivations = new Map<StorePath, ReadonlySet<string>>();
  const dynamicInputs = new Map<StorePath, ReadonlyMap<string, DynamicInput>>();
  for (let first = true; reader.next(first); first = false) {
    const start = reader.position;
    reader.expect("(");
    const path = reader.storePath(storeDir);
    if (!path.endsWith(".drv")) throw reader.malformed(`the input derivation "${path}" does not end in ".drv"`, start);
    if (inputDerivations.has(path)) throw reader.malformed(`the input derivation "${path}" stands twice`, start);
    reader.expect(",");
    const node = parseInput(reader, dynamic, 0);
    inputDerivations.set(path, node.outputs);
    if (node.dynamicOutputs.size > 0) dynamicInputs.set(path, node.dynamicOutputs);
    reader.expect(")");
  }

  reader.expect(",[");
  const inputSources = new Set<StorePath>();
  for (let first = true; reader.next(first); first = false) inputSources.add(reader.storePath(storeDir));

  reader.expect(",");
  const platform = reader.string();
  reader.expect(",");
  const builder = reader.string();

  reader.expect(",[");
  const args: ByteString[] = [];
  for (let first = true; reader.next(first); first = false) args.push(reader.string());

  reader.expect(",[");
  const env = new Map<ByteString, ByteString>();
  for (let first = true; reader.next(first); first = false) {
    const start = reader.position;
    reader.expect("(");
    const key = reader.string();
    reader.expect(",");
    const value = reader.string();
    reader.expect(")");
    if (env.has(key)) throw reader.malformed(`the variable "${key}" stands twice`, start);
    env.set(key, value);
  }
  reader.expect(")");
  reader.end();

  const derivation: Derivation = { name, outputs, inputDerivations, inputSources, platform, builder, args, env };
  return dynamicInputs.size === 0 ? derivation : { ...derivation, dynamicInputs };
}

/** Whether the text is of the form that knows dynamic inputs. */
function parseHeader(reader: AtermReader): boolean {
  if (reader.accept("Derive(")) return false;
  if (!reader.accept("DrvWithVersion(")) throw reader.malformed(`expected "Derive(" or "DrvWithVersion("`);
  const start = reader.position;
  const version = reader.string();
  if (version !== "xp-dyn-drv") throw reader.malformed(`unknown version "${version}", expected "xp-dyn-drv"`, start);
  reader.expect(",");
  return true;
}

function parseOutput(path: string, methodAndAlgorithm: string, hash: string, storeDir: string): DerivationOutput {
  if (methodAndAlgorithm === "") {
    if (hash !== "") throw new TsosError({ code: "derivation.malformed", message: `the hash "${hash}" stands without an algorithm` });
    return path === "" ? { kind: "deferred" } : { kind: "input-addressed", path: parseStorePath(path, storeDir) };
  }
  const { method, algorithm } = parseMethodAndAlgorithm(methodAndAlgorithm);
  checkMethodAlgorithm(method, algorithm);
  if (hash !== "" && hash !== "impure") return { kind: "fixed", contentAddress: { method, hash: parseHash(hash, algorithm) } };
  if (path !== "") {
    throw new TsosError({ code: "derivation.malformed", message: `a content-addressed output without a hash must not have the path "${path}"` });
  }
  return { kind: hash === "" ? "floating" : "impure", method, algorithm };
}

function checkFixedPath(
  reader: AtermReader,
  start: number,
  name: string,
  outputName: string,
  output: DerivationOutput,
  path: string,
  storeDir: string,
): void {
  const expected = reader.at(start, `output "${outputName}"`, () => derivationOutputPath(name, outputName, output, storeDir));
  const stated = reader.at(start, `output "${outputName}"`, () => parseStorePath(path, storeDir));
  if (stated === expected) return;
  throw new TsosError({
    code: "derivation.wrong-output-path",
    message: `derivation "${name}" states the path "${path}" for its output "${outputName}", expected "${storeDir}/${expected}" by its hash`,
    data: { name, output: outputName, expected, got: stated, offset: start },
  });
}

function parseInput(reader: AtermReader, dynamic: boolean, depth: number): DynamicInput {
  if (!dynamic || !reader.accept("(")) return { outputs: parseOutputNames(reader), dynamicOutputs: new Map() };
  if (depth >= MAX_DYNAMIC_DEPTH) throw reader.malformed(`dynamic inputs are nested deeper than ${MAX_DYNAMIC_DEPTH}`);
  const outputs = parseOutputNames(reader);
  reader.expect(",[");
  const dynamicOutputs = new Map<string, DynamicInput>();
  for (let first = true; reader.next(first); first = false) {
    const start = reader.position;
    reader.expect("(");
    const outputName = parseOutputName(reader);
    reader.expect(",");
    if (dynamicOutputs.has(outputName)) throw reader.malformed(`the dynamic output "${outputName}" stands twice`, start);
    dynamicOutputs.set(outputName, parseInput(reader, dynamic, depth + 1));
    reader.expect(")");
  }
  reader.expect(")");
  return { outputs, dynamicOutputs };
}

function parseOutputNames(reader: AtermReader): ReadonlySet<string> {
  const names = new Set<string>();
  reader.expect("[");
  for (let first = true; reader.next(first); first = false) names.add(parseOutputName(reader));
  return names;
}

/** Of an input. It is written as it stands, so what would need escapes is none: no output can have it. */
function parseOutputName(reader: AtermReader): string {
  const start = reader.position;
  const name = reader.string();
  if (name.includes('"') || name.includes("\\")) throw reader.malformed(`an input's output is named ${JSON.stringify(name)}, expected no quote and no backslash`, start);
  return name;
}

class AtermReader {
  readonly #text: ByteString;
  readonly #name: string;
  position = 0;
  /** The first backslash at or after `position`, looked for only once the last one is behind. */
  #backslash = -1;

  constructor(text: ByteString, name: string) {
    this.#text = text;
    this.#name = name;
  }

  accept(token: string): boolean {
    if (!this.#text.startsWith(token, this.position)) return false;
    this.position += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.accept(token)) throw this.malformed(`expected "${token}"`);
  }

  /** In a list whose `[` is read: whether there is another element, past the comma before it or the `]`. */
  next(first: boolean): boolean {
    if (this.accept("]")) return false;
    if (!first) this.expect(",");
    return true;
  }

  string(): ByteString {
    const text = this.#text;
    const open = this.position;
    this.expect('"');
    const start = this.position;
    let end = text.indexOf('"', start);
    if (this.#backslash < start) this.#backslash = indexOrLength(text, "\\", start);
    if (end >= 0 && end < this.#backslash) {
      this.position = end + 1;
      return text.slice(start, end);
    }
    const parts: string[] = [];
    let from = start;
    let scan = start;
    for (;;) {
      if (this.#backslash < scan) this.#backslash = indexOrLength(text, "\\", scan);
      if (end < scan) end = text.indexOf('"', scan);
      if (end < 0 || this.#backslash + 1 >= text.length && this.#backslash < end) throw this.malformed("the string has no end", open);
      if (end < this.#backslash) break;
      parts.push(text.slice(from, this.#backslash), unescape(text, this.#backslash + 1));
      from = scan = this.#backslash + 2;
    }
    parts.push(text.slice(from, end));
    this.position = end + 1;
    return parts.join("");
  }

  storePath(storeDir: string): StorePath {
    const start = this.position;
    const path = this.string();
    return this.at(start, "path", () => parseStorePath(path, storeDir));
  }

  end(): void {
    if (this.position !== this.#text.length) throw this.malformed("expected the end of the text");
  }

  /** Runs `parse` and tells where its error is. */
  at<T>(offset: number, what: string, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof TsosError)) throw error;
      throw new TsosError({
        code: error.code,
        message: `derivation "${this.#name}", byte ${offset}, ${what}: ${error.message}`,
        hint: error.hint,
        data: { ...error.data, derivation: this.#name, offset },
        cause: error,
      });
    }
  }

  malformed(reason: string, offset: number = this.position): TsosError {
    const found = this.#text.slice(this.position, this.position + 20);
    return new TsosError({
      code: "derivation.malformed",
      message: `derivation "${this.#name}", byte ${offset}: ${reason}${reason.startsWith("expected") ? `, found ${found === "" ? "its end" : JSON.stringify(found)}` : ""}`,
      data: { derivation: this.#name, offset },
    });
  }
}

function indexOrLength(text: string, needle: string, from: number): number {
  const index = text.indexOf(needle, from);
  return index < 0 ? text.length : index;
}

function unescape(text: string, index: number): string {
  const character = text[index]!;
  switch (character) {
    case "n":
      return "\n";
    case "r":
      return "\r";
    case "t":
      return "\t";
    default:
      return character;
  }
}
