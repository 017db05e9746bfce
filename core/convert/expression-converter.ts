import { fromByteString, type ByteString } from "../util/bytes.ts";
import { unreachable } from "../util/unreachable.ts";
import { CommentTable } from "./comments.ts";
import type { ConcreteExpression, ConcreteFile, ConcreteLambda } from "./concrete-syntax.ts";
import { convertAttributes } from "./convert-attributes.ts";
import { convertBlock } from "./convert-block.ts";
import { convertCall } from "./convert-call.ts";
import { convertLambda } from "./convert-function.ts";
import { convertInBlock } from "./convert-in-block.ts";
import { convertList } from "./convert-list.ts";
import { convertBinary, convertNot } from "./convert-operator.ts";
import { convertInText, convertPath, convertSearchPath } from "./convert-path.ts";
import { convertHas, convertSelect } from "./convert-select.ts";
import { convertString } from "./convert-string.ts";
import { convertVariable } from "./convert-variable.ts";
import type { Converter, FileContext, Needs, Place } from "./converter.ts";
import { scopeOfWith } from "./known-values.ts";
import type { Layout } from "./layout.ts";
import { findLoose } from "./loose-names.ts";
import { markNix } from "./mark-nix.ts";
import { at, conditional, primary, Strength, type Printed } from "./printed.ts";
import type { Variable } from "./scope.ts";
import { variableName } from "./typescript-names.ts";

/** Expressions of the Nix language as expressions of TypeScript: each kind has a file of its own. */
export class ExpressionConverter implements Converter {
  readonly file: ConcreteFile;
  readonly comments: CommentTable;
  readonly context: FileContext;
  readonly takesLib: boolean;
  readonly needs: Needs = { imports: new Set(), nixpkgsLib: false, ourLib: false, marks: [], assumed: new Set() };
  readonly loose: ReadonlySet<ByteString>;
  readonly reads = new Set<Variable>();
  readonly #used: ReadonlySet<string>;
  #notes: Layout[] = [];

  /** @param taken names that the file's imports have */
  constructor(file: ConcreteFile, context: FileContext, takesLib: boolean, taken: ReadonlySet<string>) {
    this.file = file;
    this.context = context;
    this.comments = new CommentTable(file);
    this.takesLib = takesLib;
    this.#used = new Set(taken);
    this.loose = findLoose(file.expression);
  }

  source(e: { readonly start: number; readonly end: number }): string {
    return fromByteString(this.file.text.slice(e.start, e.end));
  }

  name(name: ByteString): string {
    let text = variableName(name);
    while (this.#used.has(text)) text += "_";
    return text;
  }

  note(...notes: readonly Layout[]): void {
    this.#notes.push(...notes);
  }

  noting<T>(body: () => T): { readonly result: T; readonly notes: Layout[] } {
    const outer = this.#notes;
    this.#notes = [];
    const result = body();
    const notes = this.#notes;
    this.#notes = outer;
    return { result, notes };
  }

  read(variable: Variable): string {
    this.reads.add(variable);
    if (variable.owner !== undefined) this.reads.add(variable.owner);
    if (variable.role === "lib" || variable.known !== undefined) this.needs.nixpkgsLib = true;
    return variable.text;
  }

  lambda(e: ConcreteLambda, place: Place, type = ": NixValue"): Printed {
    return convertLambda(this, e, place, type);
  }

  block(e: ConcreteExpression, place: Place): { readonly layout: Layout; readonly statements: readonly Layout[] } {
    return convertBlock(this, e, place);
  }

  convert(e: ConcreteExpression, place: Place): Printed {
    switch (e.kind) {
      case "number": {
        const value = Number(e.text);
        if (e.isFloat && Number.isInteger(value)) return markNix(this, e, place, "a whole number that is no integer");
        return primary(e.isFloat ? String(value) : Number.isSafeInteger(value) ? String(value) : `${BigInt(e.text)}n`);
      }
      case "string":
        return convertString(e.parts, e.indented, ({ value }) => convertInText(this, value, place), () => this.needs.imports.add("dedent"));
      case "path":
        return convertPath(this, e, place);
      case "search-path":
        return convertSearchPath(this, e, place);
      case "variable":
        return convertVariable(this, e, place);
      case "select":
        return convertSelect(this, e, place);
      case "has":
        return convertHas(this, e.of, e.path, place);
      case "attributes":
        return convertAttributes(this, e, place);
      case "list":
        return convertList(this, e, place);
      case "lambda":
        return this.lambda(e, { ...place, isDeferred: place.isDeferred || place.inImports !== true, inImports: false });
      case "call":
        return convertCall(this, e, place);
      case "let":
        return convertInBlock(this, e, place);
      case "with": {
        const inner = scopeOfWith(this, e, place);
        return inner === undefined ? markNix(this, e, place, "a `with` of a value that has no name") : this.convert(e.body, inner);
      }
      case "if":
        return conditional(this.convert(e.condition, place), this.convert(e.then, place), this.convert(e.else, place));
      case "assert":
        return convertInBlock(this, e, place);
      case "unary":
        return e.operator === "!" ? convertNot(this, e.of, place) : { layout: ["-", at(Strength.unary, this.convert(e.of, place))], strength: Strength.unary };
      case "binary":
        return convertBinary(this, e, place);
      case "parentheses":
        return this.convert(e.of, place);
      default:
        return unreachable(e);
    }
  }
}
