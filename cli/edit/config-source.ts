import type { ts as TypeScript } from "ts-morph";
import type { SourcePosition } from "../../core/error/source-position.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { formatOptionPath } from "../../core/option/option-path.ts";
import type { TextEdit } from "./text-edit.ts";

/** `nixos` and `home` are made of modules that the configuration lists. */
export type ConfigKind = "system" | "shell" | "nixos" | "home";

const KINDS: Readonly<Record<string, ConfigKind>> = { defineSystem: "system", defineShell: "shell", defineNixosSystem: "nixos", defineHome: "home" };

/** Which argument of a modifier is the value that it changes nothing about. */
const VALUE_OF_MODIFIER: ReadonlyMap<string, number> = new Map([
  ["mkForce", 0], ["mkDefault", 0], ["mkOptionDefault", 0], ["mkVMOverride", 0], ["mkBefore", 0], ["mkAfter", 0], ["mkOverride", 1], ["mkOrder", 1],
]);

/** What a path leads to in the text of a configuration. */
export type Found =
  | { readonly kind: "value"; readonly value: TypeScript.Expression }
  /** `object` holds none of `rest`. */
  | { readonly kind: "missing"; readonly object: TypeScript.ObjectLiteralExpression; readonly rest: readonly string[] }
  /** No module that is written out here can hold it: a new one goes into the list. */
  | { readonly kind: "no-module"; readonly list: TypeScript.ArrayLiteralExpression };

/** `whole` is what becomes a function where one is needed. */
type Definitions = { readonly object: TypeScript.ObjectLiteralExpression; readonly function: TypeScript.FunctionLikeDeclaration | undefined; readonly whole: TypeScript.ObjectLiteralExpression };

/**
 * The text of a configuration file with its syntax tree: where its definitions stand, and how its function calls the
 * package set. What cannot be edited safely is refused with its place.
 */
export class ConfigSource {
  readonly kind: ConfigKind;
  readonly text: string;
  readonly file: string;
  readonly ts: typeof TypeScript;
  readonly #source: TypeScript.SourceFile;
  /** The object of definitions; undefined where there is only an object of a module's parts. */
  readonly #definitions: TypeScript.ObjectLiteralExpression | undefined;
  readonly #parts: TypeScript.ObjectLiteralExpression | undefined;
  readonly #function: TypeScript.FunctionLikeDeclaration | undefined;
  readonly #whole: TypeScript.ObjectLiteralExpression | undefined;
  /** The list of modules, where none of them is what is edited. */
  readonly #list: TypeScript.ArrayLiteralExpression | undefined;

  private constructor(ts: typeof TypeScript, file: string, text: string, path: readonly string[]) {
    this.ts = ts;
    this.file = file;
    this.text = text;
    this.#source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    const call = this.#findCall();
    this.kind = call.kind;
    const [argument] = call.node.arguments;
    if (argument === undefined) throw this.refuse(call.node, "there is no configuration in this call");
    const configuration = this.#follow(argument);
    if (this.kind === "nixos" || this.kind === "home") {
      const chosen = this.#chooseModule(configuration, path);
      if ("list" in chosen) this.#list = chosen.list;
      else [this.#definitions, this.#function, this.#whole] = [chosen.object, chosen.function, chosen.whole];
      return;
    }
    if (this.#isFunction(configuration)) {
      this.#function = configuration;
      this.#whole = this.#definitions = this.#returned(configuration);
      return;
    }
    if (!ts.isObjectLiteralExpression(configuration)) throw this.refuse(configuration, "the configuration is computed here");
    this.#parts = configuration;
    const definitions = this.#configOf(configuration);
    [this.#definitions, this.#function, this.#whole] = [definitions?.object, definitions?.function, definitions?.whole];
  }

  /** What a module's property `config` holds. */
  #configOf(parts: TypeScript.ObjectLiteralExpression): Definitions | undefined {
    const config = this.findProperty(parts, "config", ["config"]);
    if (config === undefined) return undefined;
    const value = this.ts.isMethodDeclaration(config) ? config : this.#follow(this.valueOf(config, ["config"]));
    if (this.#isFunction(value)) return { object: this.#returned(value), function: value, whole: this.#returned(value) };
    if (this.ts.isObjectLiteralExpression(value)) return { object: value, function: undefined, whole: value };
    throw this.refuse(value, "the configuration is computed here");
  }

  /**
   * Of the modules that stand in this file the one that defines the option, else the first that defines the most of the way
   * to it; else the list, for a new one.
   */
  #chooseModule(configuration: TypeScript.Expression | TypeScript.FunctionDeclaration, path: readonly string[]): Definitions | { readonly list: TypeScript.ArrayLiteralExpression } {
    const { ts } = this;
    if (!ts.isObjectLiteralExpression(configuration)) throw this.refuse(configuration, "the configuration is computed here");
    const property = this.findProperty(configuration, "modules", ["modules"]);
    const written = property === undefined ? undefined : ts.isShorthandPropertyAssignment(property) ? property.name : this.valueOf(property, ["modules"]);
    const list = written === undefined ? undefined : this.#follow(written);
    if (list === undefined || !ts.isArrayLiteralExpression(list)) throw this.refuse(list ?? configuration, "the list of modules is computed here");
    let best: { readonly definitions: Definitions; readonly left: number } | undefined;
    for (const element of list.elements) {
      const definitions = this.#moduleOf(element);
      if (definitions === undefined) continue;
      const found = this.#findIn(definitions.object, path);
      const left = found.kind === "missing" ? found.rest.length : 0;
      if (best === undefined || left < best.left) best = { definitions, left };
    }
    return best?.definitions ?? { list };
  }

  /** The definitions of a module that is written out in this file. */
  #moduleOf(element: TypeScript.Expression): Definitions | undefined {
    const { ts } = this;
    const module = this.#follow(element);
    const outer = this.#isFunction(module) ? module : undefined;
    if (outer === undefined && !ts.isObjectLiteralExpression(module as TypeScript.Expression)) return undefined;
    const object = outer === undefined ? (module as TypeScript.ObjectLiteralExpression) : this.#returned(outer);
    const has = (name: string): boolean => object.properties.some((property) => this.#nameOf(property) === name);
    if (has("config")) {
      const definitions = this.#configOf(object);
      return definitions === undefined ? undefined : { ...definitions, function: outer, whole: object };
    }
    // With options alone it defines nothing.
    return has("options") ? undefined : { object, function: outer, whole: object };
  }

  /**
   * @param path the option that is meant: of several modules it decides which one
   * @throws TsosError `edit.*` with the place of what cannot be edited.
   */
  static async parse(file: string, text: string, path: readonly string[] = []): Promise<ConfigSource> {
    const { ts } = await import("ts-morph");
    return new ConfigSource(ts, file, text, path);
  }

  get newline(): string {
    return this.text.includes("\r\n") ? "\r\n" : "\n";
  }

  /** One level of the file's indentation: that of the first line that has one. */
  get indentation(): string {
    return /^([ \t]+)(?![ \t*])/m.exec(this.text)?.[1] ?? "  ";
  }

  /** The quote that most of the file's strings are written with. */
  get quote(): string {
    let balance = 0;
    const visit = (node: TypeScript.Node): void => {
      if (this.ts.isStringLiteral(node)) balance += node.getText(this.#source).startsWith("'") ? -1 : 1;
      node.forEachChild(visit);
    };
    visit(this.#source);
    return balance < 0 ? "'" : '"';
  }

  /** Where a path leads among the definitions. */
  find(path: readonly string[]): Found {
    if (this.#list !== undefined) return { kind: "no-module", list: this.#list };
    // The constructor has seen one of both.
    if (this.#definitions === undefined) return { kind: "missing", object: this.#parts!, rest: ["config", ...path] };
    return this.#findIn(this.#definitions, path);
  }

  #findIn(definitions: TypeScript.ObjectLiteralExpression, path: readonly string[]): Exclude<Found, { readonly kind: "no-module" }> {
    let object: TypeScript.Expression = definitions;
    for (const [i, name] of path.entries()) {
      const before = path.slice(0, i);
      let value: TypeScript.Expression | undefined;
      const index = /^\[(\d+)\]$/.exec(name)?.[1];
      if (index !== undefined) {
        value = this.#item(object, Number(index), path.slice(0, i + 1));
      } else {
        if (!this.ts.isObjectLiteralExpression(object)) throw this.refuse(object, `"${formatOptionPath(before)}" is computed here`);
        const property = this.findProperty(object, name, path.slice(0, i + 1));
        if (property === undefined) return { kind: "missing", object, rest: path.slice(i) };
        value = this.valueOf(property, path.slice(0, i + 1));
      }
      object = this.#modified(value);
    }
    return { kind: "value", value: object };
  }

  #item(list: TypeScript.Expression, index: number, path: readonly string[]): TypeScript.Expression {
    if (!this.ts.isArrayLiteralExpression(list)) throw this.refuse(list, `"${formatOptionPath(path.slice(0, -1))}" is computed here`);
    const spread = list.elements.slice(0, index + 1).find((element) => this.ts.isSpreadElement(element));
    if (spread !== undefined) throw this.refuse(spread, `what "${formatOptionPath(path)}" is depends on this spread`);
    const item = list.elements[index];
    if (item === undefined) throw this.refuse(list, `this list has no item ${index}`);
    return item;
  }

  /** The property of that name, if nothing computed may stand for it. */
  findProperty(object: TypeScript.ObjectLiteralExpression, name: string, path: readonly string[]): TypeScript.ObjectLiteralElementLike | undefined {
    const { ts } = this;
    const index = object.properties.findLastIndex((property) => this.#nameOf(property) === name);
    // Before the property it is overridden; after it, or without it, nobody knows.
    for (const property of object.properties.slice(index + 1)) {
      if (ts.isSpreadAssignment(property)) throw this.refuse(property, `this spread may define "${formatOptionPath(path)}"`);
      if (property.name !== undefined && this.#nameOf(property) === undefined) throw this.refuse(property, `this computed name may be "${name}"`);
    }
    return object.properties[index];
  }

  valueOf(property: TypeScript.ObjectLiteralElementLike, path: readonly string[]): TypeScript.Expression {
    if (!this.ts.isPropertyAssignment(property)) throw this.refuse(property, `"${formatOptionPath(path)}" is computed here`);
    return property.initializer;
  }

  /** The expression without parentheses and types around it. */
  unwrap(node: TypeScript.Expression): TypeScript.Expression {
    const { ts } = this;
    let current = node;
    while (ts.isParenthesizedExpression(current) || ts.isAsExpression(current) || ts.isSatisfiesExpression(current)) current = current.expression;
    return current;
  }

  /** What a priority or an order is given to: the list of `lib.mkForce([…])`. A condition stays a computed value. */
  #modified(node: TypeScript.Expression): TypeScript.Expression {
    const { ts } = this;
    let current = this.unwrap(node);
    for (;;) {
      if (!ts.isCallExpression(current) || !ts.isPropertyAccessExpression(current.expression)) return current;
      const { name, expression } = current.expression;
      const position = VALUE_OF_MODIFIER.get(name.text);
      const value = position === undefined ? undefined : current.arguments[position];
      if (value === undefined || !/^(\w+\.)?lib$/.test(expression.getText()) || ts.isSpreadElement(value)) return current;
      current = this.unwrap(value);
    }
  }

  /** How the text names the package set where the definitions are; undefined where it has no name yet. */
  findPackageSet(): string | undefined {
    const { ts } = this;
    const parameter = this.#function?.parameters[0];
    if (parameter === undefined) return undefined;
    if (ts.isIdentifier(parameter.name)) return `${parameter.name.text}.pkgs`;
    if (!ts.isObjectBindingPattern(parameter.name)) return undefined;
    const element = parameter.name.elements.find((one) => one.dotDotDotToken === undefined && (one.propertyName ?? one.name).getText() === "pkgs");
    return element !== undefined && ts.isIdentifier(element.name) ? element.name.text : undefined;
  }

  /** The name of the package set, and what must be changed for there to be one. */
  packageSet(): { readonly name: string; readonly edits: readonly TextEdit[] } {
    const { ts } = this;
    const known = this.findPackageSet();
    if (known !== undefined) return { name: known, edits: [] };
    const name = "pkgs";
    if (this.#function === undefined) {
      const object = this.#whole;
      if (object === undefined) return { name, edits: [] };
      return { name, edits: [{ start: object.getStart(), end: object.getStart(), text: "({ pkgs }) => (" }, { start: object.getEnd(), end: object.getEnd(), text: ")" }] };
    }
    const parameter = this.#function.parameters[0];
    if (parameter === undefined) return { name, edits: [insertion(this.#function.parameters.pos, "{ pkgs }")] };
    if (!ts.isObjectBindingPattern(parameter.name)) throw this.refuse(parameter, "the function's parameter has no name for the package set");
    const { elements } = parameter.name;
    const rest = elements.find((element) => element.dotDotDotToken !== undefined);
    const last = elements.at(-1);
    if (rest !== undefined) return { name, edits: [insertion(rest.getStart(), "pkgs, ")] };
    if (last !== undefined) return { name, edits: [insertion(last.getEnd(), ", pkgs")] };
    return { name, edits: [{ start: parameter.name.getStart(), end: parameter.name.getEnd(), text: "{ pkgs }" }] };
  }

  /** Whether the first definition makes a `config` property, which then is a function of the package set. */
  get hasNoDefinitions(): boolean {
    return this.#definitions === undefined;
  }

  /** The name of something that `"tsos"` exports, and what must be changed for it to be imported. */
  imported(name: string): { readonly name: string; readonly edits: readonly TextEdit[] } {
    const { ts } = this;
    let named: TypeScript.NamedImports | undefined;
    for (const statement of this.#source.statements) {
      if (!this.#isTsosImport(statement)) continue;
      const bindings = statement.importClause?.namedBindings;
      if (bindings === undefined || statement.importClause?.isTypeOnly === true) continue;
      if (ts.isNamespaceImport(bindings)) return { name: `${bindings.name.text}.${name}`, edits: [] };
      const specifier = bindings.elements.find((element) => !element.isTypeOnly && (element.propertyName ?? element.name).text === name);
      if (specifier !== undefined) return { name: specifier.name.text, edits: [] };
      named ??= bindings;
    }
    const isTaken = this.#declares(name);
    const local = isTaken ? `project${name[0]!.toUpperCase()}${name.slice(1)}` : name;
    const text = isTaken ? `${name} as ${local}` : name;
    const last = named?.elements.at(-1);
    if (last !== undefined) return { name: local, edits: [insertion(last.getEnd(), `, ${text}`)] };
    return { name: local, edits: [insertion(this.#source.getStart(), `import { ${text} } from ${this.quote}tsos${this.quote};${this.newline}`)] };
  }

  position(offset: number): SourcePosition {
    const { line, character } = this.#source.getLineAndCharacterOfPosition(offset);
    return { file: this.file, line: line + 1, column: character + 1 };
  }

  /** The error for what cannot be edited: it names the place and leaves the change to the user. */
  refuse(node: TypeScript.Node, why: string, hint = "change it by hand: tsos edits only what is written out"): TsosError {
    return new TsosError({ code: "edit.computed", message: `${why}, so it cannot be edited`, hint, at: this.position(node.getStart(this.#source)) });
  }

  #findCall(): { readonly node: TypeScript.CallExpression; readonly kind: ConfigKind } {
    const { ts } = this;
    const exported = this.#source.statements.find((statement) => ts.isExportAssignment(statement));
    if (exported === undefined || !ts.isExportAssignment(exported)) {
      throw new TsosError({ code: "edit.no-configuration", message: `"${this.file}" has no default export`, hint: "export default defineSystem({ … }) or defineShell({ … })", at: this.position(0) });
    }
    const call = this.#follow(exported.expression);
    const callee = ts.isCallExpression(call) ? this.#importedName(call.expression) : undefined;
    const kind = callee === undefined ? undefined : KINDS[callee];
    if (ts.isCallExpression(call) && kind !== undefined) return { node: call, kind };
    throw this.refuse(call, "the configuration is not made by defineSystem, defineShell, defineNixosSystem or defineHome here");
  }

  #importedName(callee: TypeScript.Expression): string | undefined {
    const { ts } = this;
    if (ts.isPropertyAccessExpression(callee)) return callee.name.text;
    if (!ts.isIdentifier(callee)) return undefined;
    for (const statement of this.#source.statements) {
      if (!this.#isTsosImport(statement)) continue;
      const bindings = statement.importClause?.namedBindings;
      const specifier = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements.find((element) => element.name.text === callee.text) : undefined;
      if (specifier !== undefined) return (specifier.propertyName ?? specifier.name).text;
    }
    return undefined;
  }

  #isTsosImport(statement: TypeScript.Statement): statement is TypeScript.ImportDeclaration {
    const { ts } = this;
    return ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier) && statement.moduleSpecifier.text === "tsos";
  }

  #declares(name: string): boolean {
    const { ts } = this;
    let found = false;
    const visit = (node: TypeScript.Node): void => {
      if ((ts.isImportClause(node) || ts.isImportSpecifier(node) || ts.isNamespaceImport(node) || ts.isVariableDeclaration(node) || ts.isFunctionDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node)) && node.name?.getText() === name) found = true;
      node.forEachChild(visit);
    };
    visit(this.#source);
    return found;
  }

  /** An expression, or for the name of a constant of this file what it is. */
  #follow(expression: TypeScript.Expression): TypeScript.Expression | TypeScript.FunctionDeclaration {
    const { ts } = this;
    let current = this.unwrap(expression);
    for (let i = 0; i < 10 && ts.isIdentifier(current); i++) {
      const name = current.text;
      let next: TypeScript.Expression | undefined;
      for (const statement of this.#source.statements) {
        if (ts.isFunctionDeclaration(statement) && statement.name?.text === name) return statement;
        if (!ts.isVariableStatement(statement)) continue;
        const declaration = statement.declarationList.declarations.find((one) => ts.isIdentifier(one.name) && one.name.text === name);
        if (declaration?.initializer !== undefined) next = declaration.initializer;
      }
      if (next === undefined) return current;
      current = this.unwrap(next);
    }
    return current;
  }

  #isFunction(node: TypeScript.Node): node is TypeScript.FunctionLikeDeclaration {
    const { ts } = this;
    return ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node);
  }

  #returned(node: TypeScript.FunctionLikeDeclaration): TypeScript.ObjectLiteralExpression {
    const { ts } = this;
    const { body } = node;
    if (body === undefined) throw this.refuse(node, "this function has no body");
    const results: TypeScript.Expression[] = [];
    if (!ts.isBlock(body)) {
      results.push(body);
    } else {
      const visit = (inner: TypeScript.Node): void => {
        if (ts.isFunctionLike(inner)) return;
        if (ts.isReturnStatement(inner) && inner.expression !== undefined) results.push(inner.expression);
        else inner.forEachChild(visit);
      };
      body.forEachChild(visit);
    }
    const [first, second] = results;
    if (first === undefined) throw this.refuse(body, "this function returns nothing");
    if (second !== undefined) throw this.refuse(second, "the configuration is returned in several places");
    const object = this.unwrap(first);
    if (!ts.isObjectLiteralExpression(object)) throw this.refuse(object, "the configuration is computed here");
    return object;
  }

  #nameOf({ name }: TypeScript.ObjectLiteralElementLike): string | undefined {
    const { ts } = this;
    if (name === undefined) return undefined;
    if (ts.isIdentifier(name) || ts.isStringLiteral(name) || ts.isNumericLiteral(name) || ts.isNoSubstitutionTemplateLiteral(name)) return name.text;
    return ts.isComputedPropertyName(name) && ts.isStringLiteralLike(name.expression) ? name.expression.text : undefined;
  }
}

function insertion(offset: number, text: string): TextEdit {
  return { start: offset, end: offset, text };
}
