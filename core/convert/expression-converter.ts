/**
 * Expressions of the Nix language as expressions of TypeScript. It is long because the language is one thing: each kind
 * of expression converts the others.
 */
import { fromByteString, type ByteString } from "../util/bytes.ts";
import { unreachable } from "../util/unreachable.ts";
import { attributeTree, type AttributeEntry } from "./attribute-tree.ts";
import { CommentTable, printComment, printLeading } from "./comments.ts";
import { bare, childrenOf, type ConcreteAttributes, type ConcreteBinding, type ConcreteExpression, type ConcreteFile, type ConcreteLambda, type ConcreteName } from "./concrete-syntax.ts";
import { convertCall } from "./convert-call.ts";
import { convertString } from "./convert-string.ts";
import { LIB_BUILTINS, LIB_NAMES, LIB_PARTS } from "./known-functions.ts";
import { empty, group, hard, ifBroken, indent, join, line, printFlat, soft, type Layout } from "./layout.ts";
import { at, primary, Strength, type Printed } from "./printed.ts";
import { boundNames, find, freeVariables, type Scope, type Variable } from "./scope.ts";
import { propertyAccess, propertyName, quote, variableName } from "./typescript-names.ts";

/** What stands outside of the file. */
export type FileContext = {
  /** The variable that an imported file is bound to, or undefined where it stays Nix. Relative to the file. */
  importOf(path: string, how: "module" | "value"): string | undefined;
  /** A file or folder that is named and stays as it is. */
  keep(path: string): "nix" | "other";
  /** The variable and the name of an input that a search path or channel means. */
  input(name: string): string | undefined;
};

/** A place that stays Nix. */
export type Mark = { readonly start: number; readonly end: number; readonly reason: string };

/** What the file needs at its top. */
export type Needs = {
  readonly imports: Set<string>;
  /** nixpkgs' own library is used for more than what ours has. */
  nixpkgsLib: boolean;
  ourLib: boolean;
  readonly marks: Mark[];
  /** Names that are believed to be of the innermost `with`. */
  readonly assumed: Set<string>;
};

/** How the place is evaluated. */
export type Place = {
  readonly scope: Scope | undefined;
  /** Inside a function that is called when the configuration is known: what depends on it must be asked late. */
  readonly isDeferred: boolean;
  /** Inside of a getter, which runs when all is known. */
  readonly isLazy?: boolean;
  /** Directly in what modules are imported by. */
  readonly inImports?: boolean;
};

export class ExpressionConverter {
  readonly file: ConcreteFile;
  readonly comments: CommentTable;
  readonly context: FileContext;
  readonly needs: Needs = { imports: new Set(), nixpkgsLib: false, ourLib: false, marks: [], assumed: new Set() };
  /** Names whose values are looked into by names that the type checker cannot know. */
  readonly #loose: ReadonlySet<ByteString>;
  /** Comments of what could not be converted, for the item that is being printed. */
  #notes: Layout[] = [];
  readonly #used: Set<string>;
  /** Those that the text names. */
  readonly #reads = new Set<Variable>();
  /** Whether functions of modules take nixpkgs' library. */
  readonly #takesLib: boolean;

  constructor(file: ConcreteFile, context: FileContext, takesLib: boolean, taken: ReadonlySet<string>) {
    this.file = file;
    this.context = context;
    this.comments = new CommentTable(file);
    this.#takesLib = takesLib;
    this.#used = new Set(taken);
    this.#loose = findLoose(file.expression);
  }

  source(e: { readonly start: number; readonly end: number }): string {
    return fromByteString(this.file.text.slice(e.start, e.end));
  }

  /** A name that no import has. */
  name(name: ByteString): string {
    let text = variableName(name);
    while (this.#used.has(text)) text += "_";
    return text;
  }

  takeNotes(): Layout[] {
    const notes = this.#notes;
    this.#notes = [];
    return notes;
  }

  /** With the notes that arise inside, which go before it. */
  noting<T>(body: () => T): { readonly result: T; readonly notes: Layout[] } {
    const outer = this.#notes;
    this.#notes = [];
    const result = body();
    const notes = this.#notes;
    this.#notes = outer;
    return { result, notes };
  }

  /** nixpkgs' library, as it can be named here. */
  lib(place: Place): string | undefined {
    const found = find("lib", place.scope);
    if (found.kind === "variable" && found.variable.role === "lib") return this.read(found.variable);
    const packages = find("pkgs", place.scope);
    return packages.kind === "variable" && packages.variable.role === "packages" ? `${this.read(packages.variable)}.lib` : undefined;
  }

  /** The library that has the combinators: where nixpkgs' own is taken anyway, that one. */
  ourLib(place: Place): string {
    const found = find("lib", place.scope);
    if (this.#takesLib && found.kind === "variable" && found.variable.role === "lib") {
      this.#reads.add(found.variable);
      return found.variable.text;
    }
    this.needs.ourLib = true;
    return "lib";
  }

  /** The text of a variable that is used. */
  read(variable: Variable): string {
    this.#reads.add(variable);
    if (variable.owner !== undefined) this.#reads.add(variable.owner);
    if (variable.role === "lib" || variable.known !== undefined) this.needs.nixpkgsLib = true;
    return variable.text;
  }

  /** The expression as it stands, evaluated by the Nix language. */
  mark(e: ConcreteExpression, place: Place, reason: string): Printed {
    this.needs.marks.push({ start: e.start, end: e.end, reason });
    this.needs.imports.add("nixExpression");
    const source = dedentSource(this.source(e));
    this.#notes.push(`// Not converted: ${reason}. In Nix:`, hard, ...source.split("\n").flatMap((one): Layout[] => [`//   ${one}`.trimEnd(), hard]));
    const parameters: string[] = [];
    const values: string[] = [];
    for (const name of freeVariables(e)) {
      const found = find(name, place.scope);
      if (found.kind === "global" || found.kind === "unknown") continue;
      const text = found.kind === "variable" ? this.read(found.variable) : this.#withName(name, found.scopes);
      parameters.push(fromByteString(name));
      values.push(text === name ? text : `${propertyName(name)}: ${text}`);
    }
    const code = parameters.length === 0 ? source : `{ ${parameters.join(", ")} }: ${source}`;
    const literal = code.includes("\n") || code.includes('"') ? `\`${code.replace(/[\\`]|\$(?=\{)/g, "\\$&")}\`` : quote(code);
    return { layout: [`nixExpression(${literal})`, parameters.length === 0 ? "" : `({ ${values.join(", ")} })`], strength: Strength.postfix };
  }

  convert(e: ConcreteExpression, place: Place): Printed {
    switch (e.kind) {
      case "number": {
        const value = Number(e.text);
        if (e.isFloat && Number.isInteger(value)) return this.mark(e, place, "a whole number that is no integer");
        return primary(e.isFloat ? String(value) : Number.isSafeInteger(value) ? String(value) : `${BigInt(e.text)}n`);
      }
      case "string":
        return convertString(e.parts, e.indented, ({ value }) => this.convert(value, place).layout, () => this.needs.imports.add("dedent"));
      case "path":
        return this.#path(e, place);
      case "search-path":
        return this.#searchPath(e, place);
      case "variable":
        return this.#variable(e, place);
      case "select":
        return this.#select(e, place);
      case "has":
        return this.#has(e.of, e.path, place);
      case "attributes":
        return this.#attributes(e, place);
      case "list":
        return this.#list(e, place);
      case "lambda":
        return this.lambda(e, { ...place, isDeferred: place.isDeferred || place.inImports !== true, inImports: false });
      case "call":
        return convertCall(this, e, place);
      case "let":
        return this.#inBlock(e, place);
      case "with": {
        const inner = this.with(e, place);
        return inner === undefined ? this.mark(e, place, "a `with` of a value that has no name") : this.convert(e.body, inner);
      }
      case "if":
        return this.#conditional(this.convert(e.condition, place), this.convert(e.then, place), this.convert(e.else, place));
      case "assert":
        return this.#inBlock(e, place);
      case "unary":
        return e.operator === "!" ? this.#not(e.of, place) : { layout: ["-", at(Strength.unary, this.convert(e.of, place))], strength: Strength.unary };
      case "binary":
        return this.#binary(e, place);
      case "parentheses":
        return this.convert(e.of, place);
      default:
        return unreachable(e);
    }
  }

  #conditional(condition: Printed, then: Printed, otherwise: Printed): Printed {
    return { layout: group([at(Strength.nullish, condition), indent([line, "? ", at(Strength.conditional, then), line, ": ", at(Strength.conditional, otherwise)])]), strength: Strength.conditional };
  }

  #not(of: ConcreteExpression, place: Place): Printed {
    const inner = bare(of);
    if (inner.kind === "binary" && (inner.operator === "==" || inner.operator === "!=")) return this.#binary({ ...inner, operator: inner.operator === "==" ? "!=" : "==" }, place);
    return { layout: ["!", at(Strength.unary, this.convert(of, place))], strength: Strength.unary };
  }

  /** The scope inside of a `with`; undefined where its set has no name that could stand before each of its own. */
  with(e: ConcreteExpression & { readonly kind: "with" }, place: Place): Place | undefined {
    const of = bare(e.of);
    if (of.kind !== "variable" && of.kind !== "select" && !(of.kind === "call" && bare(of.function).kind === "variable")) return undefined;
    const { role, isLate } = this.describe(of, place);
    // nixpkgs' library counts as used only where a name is taken from it.
    const before = this.needs.nixpkgsLib;
    const text = printFlat(at(Strength.postfix, this.convert(of, place)));
    this.needs.nixpkgsLib = before;
    if (text === undefined) return undefined;
    return { ...place, scope: { kind: "with", of, variable: { text, role, isLate, isNative: false }, parent: place.scope } };
  }

  /** What is known of a value. */
  describe(e: ConcreteExpression, place: Place): Pick<Variable, "role" | "isLate" | "isNative" | "arity"> {
    const plain = bare(e);
    const isLate = this.isLate(plain, place);
    const none = { role: "other", isLate, isNative: this.isNative(plain, place) } as const;
    if (plain.kind === "variable") {
      const found = find(plain.name, place.scope);
      if (found.kind === "variable") return found.variable;
      if (found.kind === "global" && plain.name === "builtins") return { ...none, role: "lib" };
      if (found.kind === "with") return { ...none, role: plain.name === "lib" && found.scopes.some(({ variable }) => variable.role === "packages") ? "lib" : "other" };
      return none;
    }
    if (plain.kind === "select" && plain.path.length === 1) {
      const inner = this.describe(plain.of, place);
      const [name] = plain.path;
      if (inner.role === "packages" && name?.kind === "static") return { ...none, role: name.name === "lib" ? "lib" : "other" };
    }
    if (plain.kind === "lambda") return { ...none, arity: lambdaChain(plain).parameters.length };
    return none;
  }

  isLate(e: ConcreteExpression, place: Place): boolean {
    for (const name of freeVariables(e)) {
      const found = find(name, place.scope);
      if (found.kind === "variable" && found.variable.isLate) return true;
      if (found.kind === "with" && found.scopes[0]!.variable.isLate) return true;
    }
    return false;
  }

  /** Whether TypeScript can look into it at once: what a function of nixpkgs makes of packages or the configuration it cannot. */
  isNative(e: ConcreteExpression, place: Place): boolean {
    const plain = bare(e);
    switch (plain.kind) {
      case "list":
      case "lambda":
      case "string":
      case "number":
        return true;
      case "attributes":
        return true;
      case "if":
        return this.isNative(plain.then, place) && this.isNative(plain.else, place);
      case "variable": {
        const found = find(plain.name, place.scope);
        return found.kind === "variable" && (found.variable.isNative || !found.variable.isLate);
      }
      case "select":
        return plain.default === undefined && this.isNative(plain.of, place) && !this.isLate(plain, place);
      case "binary":
        return plain.operator === "++" || plain.operator === "//" ? this.isNative(plain.left, place) && this.isNative(plain.right, place) : true;
      case "with": {
        const inner = this.with(plain, place);
        return inner !== undefined && this.isNative(plain.body, inner);
      }
      case "call": {
        const known = this.known(plain.function, place);
        if (known !== undefined && ["optional", "optionals", "optionalAttrs", "optionalString"].includes(known)) return true;
        if (known !== undefined && ["map", "filter", "concatMap"].includes(known)) return this.isNative(plain.arguments.at(-1)!, place);
        return !this.#touchesPackages(plain, place);
      }
      default:
        return false;
    }
  }

  /** A list that can be spread: an option's value is one, when it is looked at. */
  isIterable(e: ConcreteExpression, place: Place): boolean {
    const plain = bare(e);
    if (plain.kind === "select" && plain.default === undefined) {
      const base = bare(plain.of);
      if (base.kind === "variable") {
        const found = find(base.name, place.scope);
        return found.kind === "variable" && found.variable.role === "other";
      }
    }
    return this.isNative(e, place);
  }

  #touchesPackages(e: ConcreteExpression, place: Place): boolean {
    if (this.isLate(e, place)) return true;
    for (const name of freeVariables(e)) {
      const found = find(name, place.scope);
      if (found.kind === "variable" && found.variable.role === "packages") return true;
      if (found.kind === "with" && found.scopes[0]!.variable.role === "packages") return true;
    }
    return false;
  }

  /** Which function of `builtins` or nixpkgs' library an expression is, by its last name. */
  known(e: ConcreteExpression, place: Place): string | undefined {
    const plain = bare(e);
    if (plain.kind === "variable") {
      const found = find(plain.name, place.scope);
      if (found.kind === "global") return plain.name;
      if (found.kind === "variable") return found.variable.known;
      if (found.kind !== "with") return undefined;
      const owner = this.#ownerOf(plain.name, found.scopes);
      return owner.variable.role === "lib" ? plain.name : undefined;
    }
    if (plain.kind !== "select" || plain.default !== undefined || plain.path.some((name) => name.kind === "dynamic")) return undefined;
    if (this.describe(plain.of, place).role !== "lib") {
      // pkgs.lib.x
      if (this.describe(plain.of, place).role !== "packages" || !isStatic(plain.path[0], "lib") || plain.path.length < 2) return undefined;
      return plain.path.length === 2 ? staticName(plain.path[1]) : undefined;
    }
    if (plain.path.length === 1) return staticName(plain.path[0]);
    return plain.path.length === 2 && LIB_PARTS.has(staticName(plain.path[0]) ?? "") ? staticName(plain.path[1]) : undefined;
  }

  #ownerOf(name: ByteString, scopes: readonly (Scope & { readonly kind: "with" })[]): Scope & { readonly kind: "with" } {
    const [innermost] = scopes as [Scope & { readonly kind: "with" }];
    if (scopes.length === 1) return innermost;
    const library = scopes.find(({ variable }) => variable.role === "lib");
    if (library !== undefined && (LIB_NAMES.has(name) || (library !== innermost && name === "types"))) return library;
    // Of the library itself nothing else is expected.
    const owner = innermost === library && !LIB_NAMES.has(name) && !LIB_BUILTINS.has(name) ? scopes.find((scope) => scope !== library)! : innermost;
    this.needs.assumed.add(fromByteString(name));
    return owner;
  }

  #withName(name: ByteString, scopes: readonly (Scope & { readonly kind: "with" })[]): string {
    const { variable } = this.#ownerOf(name, scopes);
    if (variable.role === "lib") this.needs.nixpkgsLib = true;
    return `${variable.text}${propertyAccess(name)}`;
  }

  /** A function of nixpkgs' library, by a name that it has; undefined where there is no library. */
  libFunction(name: string, place: Place): string | undefined {
    const lib = this.lib(place);
    return lib === undefined ? undefined : `${lib}${propertyAccess(name)}`;
  }

  #variable(e: ConcreteExpression & { readonly kind: "variable" }, place: Place): Printed {
    const found = find(e.name, place.scope);
    switch (found.kind) {
      case "variable":
        this.read(found.variable);
        return { layout: found.variable.text, strength: /^[\w$]+$/.test(found.variable.text) ? Strength.primary : Strength.postfix };
      case "with": {
        const known = this.known(e, place);
        const owner = this.#ownerOf(e.name, found.scopes);
        if (known !== undefined && bare(owner.of).kind === "variable" && (bare(owner.of) as { readonly name?: string }).name === "builtins") return this.#builtin(e, known, place);
        return { layout: this.#withName(e.name, found.scopes), strength: Strength.postfix };
      }
      case "global":
        if (e.name === "true" || e.name === "false" || e.name === "null") return primary(e.name);
        return this.#builtin(e, e.name, place);
      case "unknown":
        return this.mark(e, place, `the variable "${fromByteString(e.name)}" is bound nowhere`);
      default:
        return unreachable(found);
    }
  }

  #builtin(e: ConcreteExpression, name: string, place: Place): Printed {
    const text = LIB_BUILTINS.has(name) ? this.libFunction(name, place) : undefined;
    return text === undefined ? this.mark(e, place, "a function that only the Nix language has") : { layout: text, strength: Strength.postfix };
  }

  #select(e: ConcreteExpression & { readonly kind: "select" }, place: Place): Printed {
    const of = bare(e.of);
    const isBuiltins = of.kind === "variable" && of.name === "builtins" && find("builtins", place.scope).kind === "global";
    if (isBuiltins) {
      const name = e.path.length === 1 && e.default === undefined ? staticName(e.path[0]) : undefined;
      if (name === "true" || name === "false" || name === "null") return primary(name);
      return name === undefined ? this.mark(e, place, "a function that only the Nix language has") : this.#builtin(e, name, place);
    }
    const names = e.path.map((name) => this.#access(name, place));
    const [first] = e.path;
    if (of.kind === "call" && e.default === undefined && e.path.length === 1 && first?.kind === "static" && place.isLazy !== true && !this.isNative(of, place)) {
      // What it gives is not known while the module runs; the library looks into it later.
      const get = this.libFunction("getAttr", place);
      if (get !== undefined) return { layout: [get, "(", quote(fromByteString(first.name)), ", ", this.convert(of, place).layout, ")"], strength: Strength.postfix };
    }
    if (e.default === undefined) return { layout: [at(Strength.postfix, this.convert(e.of, place)), ...names], strength: Strength.postfix };
    if (this.#isPlain(of, place)) {
      const [first, ...rest] = names as [Layout, ...Layout[]];
      const optional = (name: Layout): Layout => (typeof name === "string" && name.startsWith(".") ? `?${name}` : ["?.", name]);
      const layout = [at(Strength.postfix, this.convert(e.of, place)), first, ...rest.map(optional)];
      return { layout: group([layout, " ?? ", at(Strength.equality, this.convert(e.default, place))]), strength: Strength.nullish };
    }
    const value: Printed = { layout: [at(Strength.postfix, this.convert(e.of, place)), ...names], strength: Strength.postfix };
    return this.#conditional(this.#has(e.of, e.path, place), value, this.convert(e.default, place));
  }

  /** A set that is written here, so that a missing name reads as undefined. */
  #isPlain(e: ConcreteExpression, place: Place): boolean {
    if (e.kind === "attributes") return true;
    if (e.kind !== "variable") return false;
    const found = find(e.name, place.scope);
    return found.kind === "variable" && found.variable.isNative && !found.variable.isLate && found.variable.role === "other" && found.variable.arity === undefined;
  }

  #access(name: ConcreteName, place: Place): Layout {
    if (name.kind === "static") return propertyAccess(name.name);
    return ["[", this.convert(name.expression, place).layout, "]"];
  }

  #has(of: ConcreteExpression, path: readonly ConcreteName[], place: Place): Printed {
    const base = at(Strength.postfix, this.convert(of, place));
    const tests = path.map((name, index): Layout => {
      const key = name.kind === "static" ? quote(fromByteString(name.name)) : at(Strength.relation, this.convert(name.expression, place));
      return [key, " in ", base, ...path.slice(0, index).map((before) => this.#access(before, place))];
    });
    return { layout: join(tests, " && "), strength: tests.length === 1 ? Strength.relation : Strength.and };
  }

  #path(e: ConcreteExpression & { readonly kind: "path" }, place: Place): Printed {
    const literal = fromByteString(e.literal);
    if (literal.startsWith("~") || (literal.startsWith("/") && literal !== "/")) return this.mark(e, place, "a path outside of the project");
    if (e.parts.length === 0) return this.namedPath(literal, place);
    const template = convertString([{ kind: "text", text: e.literal }, ...e.parts], false, ({ value }) => this.convert(value, place).layout, () => undefined).layout;
    const last = e.parts.at(-1)!;
    const isNix = place.inImports === true || (last.kind === "text" && last.text.endsWith(".nix"));
    this.needs.imports.add(isNix ? "nixFile" : "path");
    this.context.keep(literal.replace(/[^/]*$/, ""));
    return { layout: [isNix ? "nixFile(" : "path(", template, ")"], strength: Strength.postfix };
  }

  /** A path of the project, as a module where modules are listed. */
  namedPath(literal: string, place: Place): Printed {
    const path = literal.startsWith(".") ? literal : `./${literal}`;
    if (place.inImports === true) {
      const name = this.context.importOf(path, "module");
      if (name !== undefined) return primary(name);
    }
    const kind = place.inImports === true || this.context.keep(path) === "nix" ? "nixFile" : "path";
    this.context.keep(path);
    this.needs.imports.add(kind);
    return { layout: `${kind}(${quote(path === "./." ? "." : path)})`, strength: Strength.postfix };
  }

  #searchPath(e: ConcreteExpression & { readonly kind: "search-path" }, place: Place): Printed {
    const path = fromByteString(e.path);
    const [name, ...rest] = path.split("/") as [string, ...string[]];
    const modules = find("modulesPath", place.scope);
    if (name === "nixpkgs" && path.startsWith("nixpkgs/nixos/modules/") && modules.kind === "variable") return primary(`\`\${${this.read(modules.variable)}}/${path.slice("nixpkgs/nixos/modules/".length)}\``);
    const input = this.context.input(name);
    if (input === undefined) return this.mark(e, place, "a search path that is no known source; make it an input");
    return { layout: rest.length === 0 ? `${input}.nixFile("default.nix")` : `${input}.nixFile(${quote(rest.join("/"))})`, strength: Strength.postfix };
  }

  // ---- Sets ----

  #attributes(e: ConcreteAttributes, place: Place): Printed {
    if (e.recursive) {
      const names = boundNames(e.bindings);
      const refersToItself = [...childrenOf(e)].some((child) => [...freeVariables(child)].some((name) => names.has(name)));
      if (refersToItself) return this.#inBlock(e, place);
    }
    return this.object(attributeTree(e.bindings), [e], place);
  }

  object(entries: readonly AttributeEntry[], sets: readonly ConcreteAttributes[], place: Place): Printed {
    const dangling = sets.flatMap((set) => this.comments.dangling(set));
    if (entries.length === 0 && dangling.length === 0) return { ...primary("{}"), isObject: true };
    const isMultiline = sets.some((set) => this.file.text.slice(set.start, set.bindings[0]?.start ?? set.end).includes("\n"));
    const parts = entries.map((entry) => this.#entry(entry, place));
    const simple = !isMultiline && dangling.length === 0 && parts.every(({ before, after }) => before.length === 0 && after.length === 0);
    if (simple) return { ...primary(group(["{", indent([line, join(parts.map(({ layout }) => layout), [",", line])]), ifBroken(","), line, "}"])), isObject: true };
    const body: Layout[] = [];
    parts.forEach(({ before, layout, after, isSpaced }, index) => {
      if (isSpaced && index > 0) body.push(empty);
      body.push(hard, ...before, layout, ",", ...after);
    });
    for (const comment of dangling) body.push(hard, printComment(comment));
    return { ...primary(["{", indent(body), hard, "}"]), isObject: true };
  }

  #entry(entry: AttributeEntry, place: Place): { readonly before: Layout[]; readonly layout: Layout; readonly after: Layout[]; readonly isSpaced: boolean } {
    const around = entry.items.map((item) => this.comments.of(item));
    const first = firstItem(entry);
    const { result: layout, notes } = this.noting(() => this.#property(entry, place));
    const trailing = around.flatMap(({ trailing }) => (trailing === undefined ? [] : [trailing]));
    return {
      before: [...around.flatMap(({ leading }) => printLeading(leading)), ...notes],
      layout,
      after: trailing.length === 0 ? [] : [" ", join(trailing.map(printComment), " ")],
      isSpaced: first !== undefined && this.comments.of(first).emptyBefore,
    };
  }

  #property(entry: AttributeEntry, place: Place): Layout {
    const { name, value } = entry;
    const key: Layout = name.kind === "static" ? propertyName(name.name) : ["[", this.convert(name.expression, place).layout, "]"];
    const staticKey = name.kind === "static" ? name.name : undefined;
    if (isEntries(value)) return [key, ": ", this.object(value, entry.sets, place).layout];
    if (value.kind === "inherited") {
      const nameOf: ConcreteName = name;
      const found = this.inherited(nameOf.kind === "static" ? nameOf.name : "", value.from, name, place);
      return found === key ? key : [key, ": ", found];
    }
    const inner: Place = { ...place, inImports: staticKey === "imports" || (staticKey === "modules" && place.inImports === true) };
    const plain = bare(value);
    if (plain.kind === "let" || plain.kind === "assert" || (plain.kind === "attributes" && plain.recursive && this.convertsToBlock(plain)) || this.#asksLate(plain, place)) {
      const { layout } = this.block(value, { ...inner, isLazy: true });
      return ["get ", key, "() ", layout];
    }
    return [key, ": ", at(Strength.arrow, this.convert(value, inner))];
  }

  convertsToBlock(e: ConcreteAttributes): boolean {
    const names = boundNames(e.bindings);
    return [...childrenOf(e)].some((child) => [...freeVariables(child)].some((name) => names.has(name)));
  }

  #asksLate(e: ConcreteExpression, place: Place): boolean {
    if (e.kind === "attributes" || e.kind === "lambda") return false;
    return (place.isDeferred && this.isLate(e, place)) || (place.inImports !== true && this.#looksIntoCall(e, place));
  }

  /** What a function of packages gives is not known while a module runs, so it cannot be looked into. */
  #looksIntoCall(e: ConcreteExpression, place: Place): boolean {
    if (e.kind === "attributes" || e.kind === "lambda" || e.kind === "let") return false;
    if (e.kind === "select" && bare(e.of).kind === "call" && !this.isNative(e.of, place)) return true;
    if (e.kind === "with") {
      const inner = this.with(e, place);
      return inner !== undefined && this.#looksIntoCall(e.body, inner);
    }
    return [...childrenOf(e)].some((child) => this.#looksIntoCall(child, place));
  }

  /** What `inherit name` or `inherit (from) name` gives. */
  inherited(name: ByteString, from: ConcreteExpression | undefined, span: { readonly start: number; readonly end: number }, place: Place): Layout {
    if (from === undefined) return this.convert({ kind: "variable", name, start: span.start, end: span.end }, place).layout;
    return this.convert({ kind: "select", of: from, path: [{ kind: "static", name, start: span.start, end: span.end }], default: undefined, start: span.start, end: span.end }, place).layout;
  }

  /** The modules of a system. */
  convertModules(e: ConcreteExpression & { readonly kind: "list" }, place: Place): Layout {
    return this.#list(e, { ...place, inImports: true }).layout;
  }

  #list(e: ConcreteExpression & { readonly kind: "list" }, place: Place): Printed {
    const dangling = this.comments.dangling(e);
    if (e.elements.length === 0 && dangling.length === 0) return primary("[]");
    if (e.elements.length === 1 && ["attributes", "lambda"].includes(bare(e.elements[0]!).kind) && dangling.length === 0) {
      const [item] = this.#listItems(e, place);
      if (item!.before.length === 0 && item!.after === undefined) return primary(["[", item!.layout, "]"]);
    }
    const isMultiline = this.file.text.slice(e.start, e.elements[0]?.start ?? e.end).includes("\n") && e.elements.length > 1;
    return primary(brackets(this.#listItems(e, place), dangling.map(printComment), isMultiline));
  }

  #listItems(e: ConcreteExpression & { readonly kind: "list" }, place: Place): ListItem[] {
    return e.elements.map((element, index): ListItem => {
      const { result, notes } = this.noting(() => at(Strength.arrow, this.convert(element, place)));
      const { leading, trailing, emptyBefore } = this.comments.of(element);
      return { before: [...printLeading(leading), ...notes], layout: result, after: trailing === undefined ? undefined : printComment(trailing), isSpaced: emptyBefore && index > 0 };
    });
  }

  // ---- Functions and blocks ----

  /** @param type the annotation of a parameter that is taken apart, where the place gives it none */
  lambda(e: ConcreteLambda, place: Place, type = ": NixValue"): Printed {
    const { parameters, body } = lambdaChain(e);
    const isOverlay = parameters.length === 2 && parameters.every(({ formals }) => formals === undefined) && ["final", "self", "_", "_final", "_self", "super", "prev"].some((name) => parameters.some(({ argument }) => argument === name)) && ["attributes", "let", "with", "binary"].includes(bare(body).kind);
    let scope = place.scope;
    const heads: Layout[] = [];
    const statements: Layout[] = [];
    const finish: (() => void)[] = [];
    const inner: Place = place;
    const seen = new Set<string>();
    const unique = (name: ByteString): string => {
      let text = this.name(name);
      while (seen.has(text)) text += "_";
      seen.add(text);
      return text;
    };
    parameters.forEach((parameter) => {
      const names = new Map<ByteString, Variable>();
      const isModule = parameter.formals !== undefined && isModuleFunction(parameter);
      if (parameter.formals === undefined) {
        const text = unique(parameter.argument!);
        names.set(parameter.argument!, { text, role: roleOf(parameter.argument!, place), isLate: isOverlay, isNative: false });
        const variable = names.get(parameter.argument!)!;
        // Its place is needed, its name is not.
        finish.push(() => heads.push(`${this.#reads.has(variable) || text.startsWith("_") ? text : `_${text}`}${type}`));
        scope = { kind: "names", names, parent: scope };
        return;
      }
      for (const formal of parameter.formals.list) {
        const text = unique(formal.name);
        const role = roleOf(formal.name, place);
        names.set(formal.name, { text, role, isLate: isModule && role === "other" && !["modulesPath", "inputs", "name", "self"].includes(formal.name), isNative: false });
      }
      // What its convention allows may be taken besides.
      if (isModule && parameter.formals.ellipsis && !names.has("lib") && find("lib", scope).kind !== "variable") names.set("lib", { text: "lib", role: "lib", isLate: false, isNative: false });
      if (isModule && parameter.formals.ellipsis && !names.has("modulesPath") && this.#mentionsModulesPath(parameter.body)) names.set("modulesPath", { text: "modulesPath", role: "other", isLate: false, isNative: false });
      if (parameter.argument !== undefined) names.set(parameter.argument, { text: unique(parameter.argument), role: "other", isLate: isModule, isNative: false });
      scope = { kind: "names", names, parent: scope };
      const here: Place = { ...inner, scope };
      const bindings = (): Layout[] => {
        const listed = parameter.formals!.list.map((formal): Layout | undefined => {
          const { text, role } = names.get(formal.name)!;
          if (role === "lib" && !this.#takesLib) return undefined;
          if (!this.#reads.has(names.get(formal.name)!)) return undefined;
          const key = propertyName(formal.name);
          const bound: Layout = key === text ? text : `${key}: ${text}`;
          return formal.default === undefined ? bound : [bound, " = ", at(Strength.arrow, this.convert(formal.default, here))];
        });
        const more = [...names].flatMap(([name, variable]): Layout[] => (parameter.formals!.list.some((formal) => formal.name === name) || name === parameter.argument || (variable.role === "lib" && !this.#takesLib) || !this.#reads.has(variable) ? [] : [variable.text]));
        return [...listed.filter((one): one is Layout => one !== undefined), ...more];
      };
      const formalComments = parameter.formals.list.flatMap((formal) => {
        const { leading, trailing } = this.comments.of(formal);
        return [...leading, ...(trailing === undefined ? [] : [trailing])];
      });
      this.#notes.push(...printLeading(formalComments));
      finish.push(() => {
        const whole = parameter.argument === undefined ? undefined : names.get(parameter.argument)!;
        if (whole !== undefined && this.#reads.has(whole)) {
          heads.push(`${whole.text}${type}`);
          const taken = bindings();
          if (taken.length > 0) statements.push([group(["const {", indent([line, join(taken, [",", line])]), ifBroken(","), line, "}"]), ` = ${whole.text};`]);
          return;
        }
        const taken = bindings();
        if (taken.length === 0) heads.push(parameters.length === 1 ? "" : `_${type}`);
        else heads.push(group(["{", indent([line, join(taken, [",", line])]), ifBroken(","), line, `}${type}`]));
      });
    });
    const converted = this.#functionBody(body, { ...inner, scope });
    for (const one of finish) one();
    const head: Layout = ["(", join(heads.filter((one) => one !== ""), ", "), ") => "];
    return { layout: [head, converted(statements)], strength: Strength.arrow };
  }

  #mentionsModulesPath(e: ConcreteExpression): boolean {
    return /<nixpkgs\/nixos\/modules\//.test(this.file.text.slice(e.start, e.end));
  }

  /** @returns the body behind statements that are only known when it is converted */
  #functionBody(body: ConcreteExpression, place: Place): (before: readonly Layout[]) => Layout {
    if (needsBlock(body, this, place)) {
      const { statements } = this.block(body, place);
      return (before) => braces([...before, ...statements]);
    }
    const { result, notes } = this.noting(() => this.convert(body, place));
    if (notes.length === 0 || result.isObject === true) this.#notes.push(...notes);
    return (before) => {
      if (before.length > 0 || (notes.length > 0 && result.isObject !== true)) return braces([...before, [...(result.isObject === true ? [] : notes), "return ", at(Strength.arrow, result), ";"]]);
      return result.isObject === true ? ["(", result.layout, ")"] : at(Strength.arrow, result);
    };
  }

  #inBlock(e: ConcreteExpression, place: Place): Printed {
    return { layout: ["(() => ", this.block(e, place).layout, ")()"], strength: Strength.postfix };
  }

  /** `{ const …; return …; }` */
  block(e: ConcreteExpression, place: Place): { readonly layout: Layout; readonly statements: readonly Layout[] } {
    const statements: Layout[] = [];
    const { inner, value } = this.statements(e, place, statements);
    const { result, notes } = this.noting(() => (value === undefined ? undefined : this.convert(value, inner)));
    if (result !== undefined) statements.push([...notes, "return ", at(Strength.arrow, result), ";"]);
    return { layout: braces(statements), statements };
  }

  /**
   * What must be done before a value: `let`, `assert`, a recursive set. What is left has the names of these.
   *
   * @returns `value` undefined where the statements return it themselves
   */
  statements(e: ConcreteExpression, place: Place, into: Layout[]): { readonly inner: Place; readonly value: ConcreteExpression | undefined } {
    let inner = place;
    let value = e;
    const bound = new Set<string>();
    for (;;) {
      const plain = bare(value);
      if (plain.kind === "let") {
        const names = [...boundNames(plain.bindings)].map((name) => this.name(name));
        if (names.some((name) => bound.has(name))) return { inner, value };
        for (const name of names) bound.add(name);
        inner = this.bindings(plain.bindings, inner, into);
        for (const comment of this.comments.dangling(plain)) into.push(printComment(comment));
        value = plain.body;
      } else if (plain.kind === "with") {
        const scoped = this.with(plain, inner);
        if (scoped === undefined) {
          // A set without a name gets one.
          const text = this.name("scope");
          if (bound.has(text)) return { inner, value };
          bound.add(text);
          const { result, notes } = this.noting(() => this.convert(plain.of, inner));
          into.push([...notes, `const ${text}: NixValue = `, at(Strength.arrow, result), ";"]);
          inner = { ...inner, scope: { kind: "with", of: { kind: "variable", name: "scope", start: plain.of.start, end: plain.of.end }, variable: { ...this.describe(plain.of, inner), text }, parent: inner.scope } };
        } else inner = scoped;
        value = plain.body;
      } else if (plain.kind === "assert") {
        const { result, notes } = this.noting(() => this.#not(plain.condition, inner));
        into.push([...notes, "if (", result.layout, `) throw new Error(${quote(`assertion '${this.source(plain.condition)}' failed`)});`]);
        value = plain.body;
      } else if (plain.kind === "attributes" && plain.recursive && this.convertsToBlock(plain)) {
        inner = this.bindings(plain.bindings, inner, into);
        const names = [...boundNames(plain.bindings)];
        const scope = inner.scope;
        const dynamic = plain.bindings.filter((binding) => binding.kind === "attribute" && binding.path[0]!.kind === "dynamic");
        const rest = attributeTree(dynamic);
        const own = names.map((name): Layout => {
          const found = find(name, scope);
          const text = found.kind === "variable" ? found.variable.text : variableName(name);
          const key = propertyName(name);
          return key === text ? key : `${key}: ${text}`;
        });
        const more = rest.length === 0 ? [] : [["...", this.object(rest, [], inner).layout]];
        into.push(["return ", group(["{", indent([line, join([...own, ...more], [",", line])]), ifBroken(","), line, "}"]), ";"]);
        return { inner, value: undefined };
      } else return { inner, value };
    }
  }

  /** `const` for each binding, each behind those that it needs; they see one another. */
  bindings(bindings: readonly ConcreteBinding[], place: Place, into: Layout[]): Place {
    type Constant = { readonly names: readonly ByteString[]; readonly entry: AttributeEntry | undefined; readonly inherit: (ConcreteBinding & { readonly kind: "inherit" }) | undefined; readonly free: ReadonlySet<ByteString>; readonly isFunction: boolean };
    const names = new Map<ByteString, Variable>();
    const constants: Constant[] = [];
    const attributes = bindings.filter((binding) => binding.kind === "attribute");
    const tree = attributeTree(attributes);
    const placed = new Set<AttributeEntry>();
    for (const binding of bindings) {
      if (binding.kind === "inherit") {
        if (binding.from !== undefined) constants.push({ names: binding.names.map(({ name }) => name), entry: undefined, inherit: binding, free: freeVariables(binding.from), isFunction: false });
        continue;
      }
      const [first] = binding.path;
      const entry = first?.kind === "static" ? tree.find((one) => one.name.kind === "static" && one.name.name === first.name) : undefined;
      if (entry === undefined || placed.has(entry)) continue;
      placed.add(entry);
      constants.push({ names: [(first as { readonly name: ByteString }).name], entry, inherit: undefined, free: freeOfEntry(entry), isFunction: !isEntries(entry.value) && entry.value.kind !== "inherited" && bare(entry.value).kind === "lambda" });
    }
    const own = new Set(constants.flatMap((constant) => constant.names));
    // First what they are called, then, in the order in which they can be made, what is known of them.
    for (const name of own) names.set(name, { text: this.name(name), role: "other", isLate: false, isNative: true });
    const scope: Scope = { kind: "names", names, parent: place.scope };
    const inner: Place = { ...place, scope };
    const sorted = sortConstants(constants);
    for (const constant of sorted) {
      for (const name of constant.names) {
        const { entry, inherit } = constant;
        const text = names.get(name)!.text;
        if (inherit?.from !== undefined) {
          const of = this.describe(inherit.from, inner);
          if (of.role === "lib") {
            // A function of the library is that, and no variable of its own.
            const owner = this.#libraryOf(inherit.from, inner);
            names.set(name, { text: `${owner.text}${propertyAccess(name)}`, role: "other", isLate: false, isNative: false, known: name, owner: owner.variable });
          } else names.set(name, { text, role: of.role === "packages" && name === "lib" ? "lib" : "other", isLate: of.isLate, isNative: !of.isLate && of.role === "other" });
        } else if (entry !== undefined && !isEntries(entry.value) && entry.value.kind !== "inherited") {
          const found = this.describe(entry.value, inner);
          const plain = bare(entry.value);
          const isPackages = plain.kind === "call" && name.startsWith("pkgs") && this.known(plain.function, inner) === undefined;
          names.set(name, { isLate: found.isLate, isNative: found.isNative, arity: found.arity, text, role: found.role !== "other" ? found.role : isPackages || (name === "pkgs" && plain.kind === "call") ? "packages" : "other" });
        } else names.set(name, { text, role: "other", isLate: [...constant.free].some((one) => find(one, inner.scope).kind === "variable" && names.get(one)?.isLate === true), isNative: true });
      }
    }
    for (const { names: bound, entry, inherit, free } of sorted) {
      if (inherit !== undefined && names.get(bound[0] ?? "")?.known !== undefined) {
        into.push(...inherit === undefined ? [] : this.comments.of(inherit).leading.map(printComment));
        continue;
      }
      const items = entry?.items ?? [inherit!];
      const around = items.map((item) => this.comments.of(item));
      const trailing = around.flatMap((one) => (one.trailing === undefined ? [] : [one.trailing]));
      const { result: layout, notes } = this.noting((): Layout => {
        if (inherit !== undefined) {
          const from = at(Strength.arrow, this.convert(inherit.from!, inner));
          const taken = inherit.names.map(({ name }) => (propertyName(name) === names.get(name)!.text ? propertyName(name) : `${propertyName(name)}: ${names.get(name)!.text}`));
          return [group(["const {", indent([line, join(taken, [",", line])]), ifBroken(","), line, "}"]), " = ", from, ";"];
        }
        const [name] = bound as readonly [ByteString];
        const annotation = free.has(name) || this.#loose.has(name) || sorted.some((other) => other.entry !== entry && other.free.has(name) && free.has(other.names[0]!)) ? ": NixValue" : annotationOf(entry!);
        const value = isEntries(entry!.value) ? this.object(entry!.value, entry!.sets, inner).layout : entry!.value.kind === "inherited" ? "" : at(Strength.arrow, this.#bound(entry!.value, inner));
        return [`const ${names.get(name)!.text}${annotation} = `, value, ";"];
      });
      into.push([...around.flatMap(({ leading }) => printLeading(leading)), ...notes, layout, ...(trailing.length === 0 ? [] : [" ", join(trailing.map(printComment), " ")])]);
    }
    return inner;
  }

  #libraryOf(from: ConcreteExpression, place: Place): { readonly text: string; readonly variable: Variable | undefined } {
    const plain = bare(from);
    const found = plain.kind === "variable" ? find(plain.name, place.scope) : undefined;
    if (found?.kind === "variable") return { text: found.variable.text, variable: found.variable };
    const library = find("lib", place.scope);
    if (library.kind === "variable" && library.variable.role === "lib") return { text: library.variable.text, variable: library.variable };
    return { text: printFlat(at(Strength.postfix, this.convert(from, place))) ?? "lib", variable: undefined };
  }

  /** Functions that are bound to a name are called from here, while everything is being collected. */
  #bound(e: ConcreteExpression, place: Place): Printed {
    const plain = bare(e);
    return plain.kind === "lambda" ? this.lambda(plain, place) : this.convert(e, place);
  }

  // ---- Operators ----

  #binary(e: ConcreteExpression & { readonly kind: "binary" }, place: Place): Printed {
    const both = (operator: string, strength: number, right = strength + 1): Printed => ({
      layout: group([at(strength, this.convert(e.left, place)), ` ${operator}`, indent([line, at(right, this.convert(e.right, place))])]),
      strength,
    });
    switch (e.operator) {
      case "&&":
        return both("&&", Strength.and, Strength.and);
      case "||":
        return both("||", Strength.or, Strength.or);
      case "->":
        return { layout: group([this.#not(e.left, place).layout, " ||", line, at(Strength.or, this.convert(e.right, place))]), strength: Strength.or };
      case "==":
      case "!=":
        return this.#equality(e, place);
      case "<":
      case ">":
      case "<=":
      case ">=":
        return both(e.operator, Strength.relation);
      case "+":
        return this.#sum(e, place);
      case "-":
        return both("-", Strength.sum);
      case "*":
        return both("*", Strength.product);
      case "/": {
        const isFloat = [e.left, e.right].some((side) => bare(side).kind === "number" && (bare(side) as { readonly isFloat?: boolean }).isFloat === true);
        const quotient = both("/", Strength.product);
        return isFloat ? quotient : { layout: ["Math.trunc(", quotient.layout, ")"], strength: Strength.postfix };
      }
      case "++":
        return this.#concatenation(e, place);
      case "//":
        return this.#update(e, place);
      default:
        return this.mark(e, place, `the operator "${e.operator}"`);
    }
  }

  #equality(e: ConcreteExpression & { readonly kind: "binary" }, place: Place): Printed {
    const isEqual = e.operator === "==";
    const [left, right] = [bare(e.left), bare(e.right)];
    const emptySide = [left, right].find((side) => (side.kind === "list" && side.elements.length === 0) || (side.kind === "attributes" && side.bindings.length === 0));
    if (emptySide !== undefined) {
      const other = emptySide === left ? e.right : e.left;
      const value = this.convert(other, place);
      const length: Layout = emptySide.kind === "list" ? [at(Strength.postfix, value), ".length"] : ["Object.keys(", value.layout, ").length"];
      return { layout: [length, isEqual ? " === 0" : " > 0"], strength: Strength.equality };
    }
    const isScalar = (side: ConcreteExpression): boolean => side.kind === "string" || side.kind === "number" || (side.kind === "variable" && ["true", "false", "null"].includes(side.name)) || (side.kind === "call" && ["toString", "length", "stringLength", "typeOf", "toLower"].includes(this.known(side.function, place) ?? ""));
    const isStructure = (side: ConcreteExpression): boolean => side.kind === "list" || side.kind === "attributes";
    if (isStructure(left) || isStructure(right)) return this.mark(e, place, "a comparison of lists or sets");
    if (!isScalar(left) && !isScalar(right)) this.needs.assumed.add(`${this.source(e)} compares no lists or sets`);
    return { layout: group([at(Strength.equality, this.convert(e.left, place)), isEqual ? " ===" : " !==", indent([line, at(Strength.equality + 1, this.convert(e.right, place))])]), strength: Strength.equality };
  }

  #sum(e: ConcreteExpression & { readonly kind: "binary" }, place: Place): Printed {
    const operands: ConcreteExpression[] = [];
    const collect = (side: ConcreteExpression): void => {
      const plain = bare(side);
      if (plain.kind === "binary" && plain.operator === "+") {
        collect(plain.left);
        collect(plain.right);
      } else operands.push(side);
    };
    collect(e);
    const [first] = operands.map(bare);
    if (first?.kind === "path" && first.parts.length === 0) {
      const rest = operands.slice(1).map(bare);
      if (rest.every((part) => part.kind === "string" && part.parts.every((piece) => piece.kind === "text"))) {
        const tail = rest.map((part) => (part.kind === "string" ? part.parts.map((piece) => (piece.kind === "text" ? fromByteString(piece.text) : "")).join("") : "")).join("");
        return this.namedPath(`${fromByteString(first.literal).replace(/\/\.?$/, "")}${tail}`, place);
      }
      return this.mark(e, place, "a path that is put together");
    }
    if (first?.kind === "search-path") {
      const [, second] = operands.map(bare);
      if (operands.length === 2 && second?.kind === "string" && second.parts.every((piece) => piece.kind === "text")) {
        const tail = second.parts.map((piece) => (piece.kind === "text" ? piece.text : "")).join("");
        return this.#searchPath({ ...first, path: `${first.path}${tail}` }, place);
      }
    }
    // With a string among them it is a string.
    if (operands.some((operand) => bare(operand).kind === "string")) {
      const parts = operands.flatMap((operand) => {
        const plain = bare(operand);
        return plain.kind === "string" ? plain.parts : [{ kind: "expression", value: operand } as const];
      });
      return convertString(parts, operands.some((operand) => (bare(operand) as { readonly indented?: boolean }).indented === true), ({ value }) => this.convert(value, place).layout, () => this.needs.imports.add("dedent"));
    }
    return { layout: group([at(Strength.sum, this.convert(e.left, place)), " +", indent([line, at(Strength.sum + 1, this.convert(e.right, place))])]), strength: Strength.sum };
  }

  #flatten(e: ConcreteExpression, operator: string): ConcreteExpression[] {
    const plain = bare(e);
    return plain.kind === "binary" && plain.operator === operator ? [...this.#flatten(plain.left, operator), ...this.#flatten(plain.right, operator)] : [e];
  }

  #concatenation(e: ConcreteExpression & { readonly kind: "binary" }, place: Place): Printed {
    const operands = this.#flatten(e, "++");
    const isMixed = operands.some((operand) => !this.isIterable(operand, place));
    const concat = isMixed ? this.libFunction("concatLists", place) : undefined;
    if (concat !== undefined) return { layout: [concat, "(", brackets(operands.map((operand) => plainItem(at(Strength.arrow, this.convert(operand, place)))), [], false), ")"], strength: Strength.postfix };
    return primary(brackets(operands.flatMap((operand) => this.#spreadItems(operand, place)), [], false));
  }

  /** The elements of a list, as they stand in another one. */
  spreadList(e: ConcreteExpression, place: Place): Layout[] {
    return this.#spreadItems(e, place).map(({ before, layout, after }) => [...before, layout, after === undefined ? "" : [" ", after]]);
  }

  #spreadItems(e: ConcreteExpression, place: Place): ListItem[] {
    const plain = bare(e);
    if (plain.kind === "list" && this.comments.dangling(plain).length === 0) return this.#listItems(plain, place);
    if (plain.kind === "with") {
      const inner = this.with(plain, place);
      if (inner !== undefined) return this.#spreadItems(plain.body, inner);
    }
    return [plainItem(["...", at(Strength.unary, this.convert(e, place))])];
  }

  #update(e: ConcreteExpression & { readonly kind: "binary" }, place: Place): Printed {
    const operands = this.#flatten(e, "//");
    const isMixed = operands.some((operand) => !this.isNative(operand, place));
    const merge = isMixed ? this.libFunction(operands.length === 2 ? "mergeAttrs" : "mergeAttrsList", place) : undefined;
    const converted = operands.map((operand) => this.convert(operand, place));
    if (merge !== undefined) {
      const args = converted.map((one) => at(Strength.arrow, one));
      return { layout: operands.length === 2 ? [merge, "(", join(args, ", "), ")"] : [merge, "(", brackets(args.map(plainItem), [], false), ")"], strength: Strength.postfix };
    }
    // What is written out stands in the object itself, unless a name would stand there twice.
    const seen = new Set<string>();
    const parts = operands.map((operand, index): Layout => {
      const plain = bare(operand);
      const spread: Layout = ["...", at(Strength.unary, converted[index]!)];
      if (plain.kind !== "attributes" || plain.recursive || plain.bindings.length === 0 || this.comments.dangling(plain).length > 0) return spread;
      const entries = attributeTree(plain.bindings);
      const names = entries.map(({ name }) => (name.kind === "static" ? name.name : undefined));
      if (names.some((name) => name === undefined || seen.has(name)) || entries.some((entry) => this.#hasComments(entry))) return spread;
      for (const name of names) seen.add(name!);
      return join(entries.map((entry) => this.#entry(entry, place).layout), [",", line]);
    });
    return { ...primary(group(["{", indent([line, join(parts, [",", line])]), ifBroken(","), line, "}"])), isObject: true };
  }

  #hasComments(entry: AttributeEntry): boolean {
    return entry.items.some((item) => this.comments.of(item).leading.length > 0 || this.comments.of(item).trailing !== undefined) || (isEntries(entry.value) && entry.value.some((inner) => this.#hasComments(inner)));
  }
}

/** An element of a list with the comments around it. */
type ListItem = { readonly before: readonly Layout[]; readonly layout: Layout; readonly after: Layout | undefined; readonly isSpaced: boolean };

function plainItem(layout: Layout): ListItem {
  return { before: [], layout, after: undefined, isSpaced: false };
}

function brackets(items: readonly ListItem[], dangling: readonly Layout[], isMultiline: boolean): Layout {
  if (!isMultiline && dangling.length === 0 && items.every(({ before, after }) => before.length === 0 && after === undefined)) {
    return group(["[", indent([soft, join(items.map(({ layout }) => layout), [",", line])]), ifBroken(","), soft, "]"]);
  }
  const body = items.flatMap(({ before, layout, after, isSpaced }): Layout[] => [isSpaced ? empty : "", hard, ...before, layout, ",", after === undefined ? "" : [" ", after]]);
  return ["[", indent([...body, ...dangling.flatMap((comment): Layout[] => [hard, comment])]), hard, "]"];
}

function braces(statements: readonly Layout[]): Layout {
  return ["{", indent(statements.flatMap((statement): Layout[] => [hard, statement])), hard, "}"];
}

function isEntries(value: AttributeEntry["value"]): value is AttributeEntry[] {
  return Array.isArray(value);
}

function staticName(name: ConcreteName | undefined): string | undefined {
  return name?.kind === "static" ? name.name : undefined;
}

function isStatic(name: ConcreteName | undefined, text: string): boolean {
  return staticName(name) === text;
}

function firstItem(entry: AttributeEntry): { readonly start: number; readonly end: number } | undefined {
  return entry.items[0] ?? (isEntries(entry.value) && entry.value[0] !== undefined ? firstItem(entry.value[0]) : undefined);
}

function freeOfEntry(entry: AttributeEntry): ReadonlySet<ByteString> {
  if (isEntries(entry.value)) return new Set(entry.value.flatMap((inner) => [...(inner.name.kind === "dynamic" ? freeVariables(inner.name.expression) : []), ...freeOfEntry(inner)]));
  if (entry.value.kind !== "inherited") return freeVariables(entry.value);
  return entry.value.from === undefined ? new Set(entry.name.kind === "static" ? [entry.name.name] : []) : freeVariables(entry.value.from);
}

/** In the order of the text, but for what another one needs first. Functions need what they call only when they are called. */
function sortConstants<T extends { readonly names: readonly ByteString[]; readonly free: ReadonlySet<ByteString> }>(constants: readonly T[]): readonly T[] {
  const sorted: T[] = [];
  const visiting = new Set<T>();
  const visit = (constant: T): void => {
    if (visiting.has(constant)) return;
    visiting.add(constant);
    for (const other of constants) if (other !== constant && other.names.some((name) => constant.free.has(name))) visit(other);
    sorted.push(constant);
  };
  for (const constant of constants) visit(constant);
  return sorted;
}

/** `a: b: body` is one function of two arguments. */
export function lambdaChain(e: ConcreteLambda): { readonly parameters: readonly ConcreteLambda[]; readonly body: ConcreteExpression } {
  const parameters = [e];
  let body = bare(e.body);
  while (body.kind === "lambda") {
    parameters.push(body);
    body = bare(body.body);
  }
  return { parameters, body: parameters.at(-1)!.body };
}

const MODULE_ARGUMENTS = new Set(["config", "options", "modulesPath", "osConfig", "utils", "_class"]);

/** A function that the module system calls. */
export function isModuleFunction(e: ConcreteLambda): boolean {
  if (e.formals === undefined || bare(e.body).kind === "lambda") return false;
  return (e.formals.ellipsis || e.formals.list.some(({ name }) => name === "config")) && (e.formals.list.length === 0 || e.formals.list.some(({ name }) => MODULE_ARGUMENTS.has(name) || name === "lib" || name === "pkgs"));
}

function roleOf(name: ByteString, place: Place): Variable["role"] {
  void place;
  if (name === "lib") return "lib";
  return name === "pkgs" ? "packages" : "other";
}

function needsBlock(e: ConcreteExpression, converter: ExpressionConverter, place: Place): boolean {
  const plain = bare(e);
  if (plain.kind === "let" || plain.kind === "assert") return true;
  if (plain.kind === "with") {
    const inner = converter.with(plain, place);
    return inner === undefined || needsBlock(plain.body, converter, inner);
  }
  return plain.kind === "attributes" && plain.recursive && converter.convertsToBlock(plain);
}

/** All names that the file binds somewhere, as TypeScript has them. */
export function allBoundNames(e: ConcreteExpression): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (one: ConcreteExpression): void => {
    if (one.kind === "let" || (one.kind === "attributes" && one.recursive)) for (const name of boundNames(one.bindings)) names.add(variableName(name));
    if (one.kind === "lambda") for (const name of [one.argument, ...(one.formals?.list ?? []).map((formal) => formal.name)]) if (name !== undefined) names.add(variableName(name));
    for (const child of childrenOf(one)) visit(child);
  };
  visit(e);
  return names;
}

/** Names whose values are asked for attributes that may not be there, or that have computed names. */
function findLoose(e: ConcreteExpression): ReadonlySet<ByteString> {
  const loose = new Set<ByteString>();
  const visit = (one: ConcreteExpression): void => {
    if ((one.kind === "select" && (one.default !== undefined || one.path.some((name) => name.kind === "dynamic"))) || one.kind === "has") {
      const of = bare(one.of);
      if (of.kind === "variable") loose.add(of.name);
    }
    if (one.kind === "binary" && (one.operator === "==" || one.operator === "!=")) for (const side of [bare(one.left), bare(one.right)]) if (side.kind === "variable") loose.add(side.name);
    for (const child of childrenOf(one)) visit(child);
  };
  visit(e);
  return loose;
}

function annotationOf(entry: AttributeEntry): string {
  if (isEntries(entry.value) || entry.value.kind === "inherited") return "";
  const plain = bare(entry.value);
  return plain.kind === "list" && plain.elements.length === 0 ? ": readonly NixValue[]" : "";
}

/** Lines after the first without the indentation that they share. */
function dedentSource(text: string): string {
  const [first, ...rest] = text.split("\n") as [string, ...string[]];
  const indentation = Math.min(...rest.filter((one) => one.trim() !== "").map((one) => /^[ \t]*/.exec(one)![0].length), Infinity);
  return [first, ...rest.map((one) => one.slice(Number.isFinite(indentation) ? indentation : 0))].join("\n");
}
