import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ts as TypeScript } from "ts-morph";
import type { SourcePosition } from "../error/source-position.ts";

const MODULE_PARTS = ["config", "options", "inputs", "imports", "overlays", "specialArgs"] as const;

/** A part of a module, by the name of its property. */
export type ModulePart = (typeof MODULE_PARTS)[number];

export function isModulePart(value: unknown): value is ModulePart {
  return MODULE_PARTS.some((part) => part === value);
}

export type DefinitionQuery = {
  /** Where the module is made: the call of `defineModule` or its like; without a line the default export. */
  readonly module: { readonly file: string; readonly line?: number | undefined; readonly column?: number | undefined };
  /** The option's path, and further into its value: names, and indices of lists. */
  readonly path: readonly string[];
  /** Among what the module defines (the default), or in another part of it; an empty path is that part itself. */
  readonly part?: ModulePart | undefined;
};

export type DefinitionPlace = {
  /** The property's name. */
  readonly name: SourcePosition;
  /** Its value. */
  readonly value: SourcePosition;
  /** How many names of the path were found; less than all where the rest is computed. */
  readonly depth: number;
  /** Whether the value is an object written there, so that what it does not have is not defined by it. */
  readonly isPlain?: boolean;
};

/**
 * Where the modules of a file's `defineNixosSystem` define an option, and functions, constants and imports that they are
 * made of: only what defines all of `path`, or a part whose rest is computed.
 */
export async function findNixosDefinitionPlaces(file: string, path: readonly string[]): Promise<readonly DefinitionPlace[]> {
  const { ts } = await import("ts-morph");
  const search = new Search(ts);
  const source = search.open(file);
  const root = source === undefined ? undefined : search.defaultExport(source);
  if (root === undefined) return [];
  search.visitNixosSystem(root, path);
  const found = search.found.filter(({ depth, isPlain }) => depth === path.length || (depth > 1 && isPlain !== true));
  const deepest = Math.max(0, ...found.map(({ depth }) => depth));
  return found.filter(({ depth }) => depth === deepest);
}

/**
 * Where a module's own text defines an option: the properties of its object literals that lead to `path`,
 * seen through functions that return them, spreads, conditions, `mkIf(…)`, `mkMerge([…])` and their like,
 * constants and imports of the project. Only places of the greatest depth are given, in the order of the text;
 * none where all is computed.
 */
export async function findDefinitionPlaces(query: DefinitionQuery): Promise<readonly DefinitionPlace[]> {
  const { ts } = await import("ts-morph");
  const search = new Search(ts);
  const source = search.open(query.module.file);
  if (source === undefined) return [];
  const start = query.module.line === undefined ? undefined : search.callAt(source, query.module.line, query.module.column ?? 1);
  const root = start ?? search.defaultExport(source);
  if (root === undefined) return [];
  search.visitModule(root, query.path, query.part === undefined || query.part === "config" ? ["config", "defaults"] : [query.part]);
  const deepest = Math.max(0, ...search.found.map((place) => place.depth));
  return search.found.filter((place) => place.depth === deepest && deepest > 0);
}

/** Where a file's default export begins; undefined where it has none. */
export async function findDefaultExport(file: string): Promise<SourcePosition | undefined> {
  const { ts } = await import("ts-morph");
  const source = new Search(ts).open(file);
  const statement = source?.statements.find((one) => ts.isExportAssignment(one) || (ts.canHaveModifiers(one) && ts.getModifiers(one)?.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword)));
  if (source === undefined || statement === undefined) return undefined;
  const { line, character } = source.getLineAndCharacterOfPosition(statement.getStart(source));
  return { file, line: line + 1, column: character + 1 };
}

// Deeper nesting of functions and constants than people write.
const MAX_STEPS = 5000;

class Search {
  readonly found: DefinitionPlace[] = [];
  readonly #ts: typeof TypeScript;
  readonly #files = new Map<string, TypeScript.SourceFile | undefined>();
  readonly #entered = new Set<string>();
  #steps = 0;

  constructor(ts: typeof TypeScript) {
    this.#ts = ts;
  }

  open(file: string): TypeScript.SourceFile | undefined {
    if (!this.#files.has(file)) {
      let parsed: TypeScript.SourceFile | undefined;
      try {
        parsed = this.#ts.createSourceFile(file, readFileSync(file, "utf8"), this.#ts.ScriptTarget.Latest, true);
      } catch {
        parsed = undefined;
      }
      this.#files.set(file, parsed);
    }
    return this.#files.get(file);
  }

  /** The innermost call whose text spans the place: source maps point into `defineModule(`, not always at its start. */
  callAt(source: TypeScript.SourceFile, line: number, column: number): TypeScript.Node | undefined {
    const starts = source.getLineStarts();
    const lineStart = starts[line - 1];
    if (lineStart === undefined) return undefined;
    const position = lineStart + column - 1;
    let call: TypeScript.CallExpression | undefined;
    const visit = (node: TypeScript.Node): void => {
      if (position < node.getStart(source) || position > node.getEnd()) return;
      if (this.#ts.isCallExpression(node) && position <= node.expression.getEnd() + 1) call = node;
      node.forEachChild(visit);
    };
    visit(source);
    return call;
  }

  defaultExport(source: TypeScript.SourceFile): TypeScript.Node | undefined {
    for (const statement of source.statements) {
      if (this.#ts.isExportAssignment(statement)) return statement.expression;
    }
    return undefined;
  }

  /** A module: `defineX(config)`, `defineX(args => config)` or `defineX({ imports, options, config })`. */
  visitModule(node: TypeScript.Node, path: readonly string[], names: readonly string[]): void {
    const ts = this.#ts;
    const expression = this.#resolve(node);
    if (ts.isCallExpression(expression)) {
      for (const argument of expression.arguments) this.visitModule(argument, path, names);
      return;
    }
    if (ts.isObjectLiteralExpression(expression)) {
      const parts = expression.properties.filter((property) => names.includes(this.#nameOf(property) ?? ""));
      for (const part of parts) {
        if (path.length === 0 && names.length === 1 && part.name !== undefined) this.found.push({ name: this.#position(part.name), value: this.#position(part), depth: 1 });
      }
      for (const part of parts) this.#visit(ts.isPropertyAssignment(part) ? part.initializer : ts.isShorthandPropertyAssignment(part) ? part.name : part, path, 0);
      if (parts.length > 0) return;
    }
    this.#visit(expression, path, 0);
  }

  /** `defineNixosSystem({ modules: [ … ] })`. */
  visitNixosSystem(node: TypeScript.Node, path: readonly string[]): void {
    const ts = this.#ts;
    const expression = this.#resolve(node);
    if (!ts.isCallExpression(expression)) return;
    for (const argument of expression.arguments) {
      const object = this.#resolve(argument);
      if (ts.isObjectLiteralExpression(object)) this.#visitNixosModules(object, "modules", path);
    }
  }

  #visitNixosModules(object: TypeScript.ObjectLiteralExpression, name: string, path: readonly string[]): void {
    for (const property of object.properties) if (this.#nameOf(property) === name) this.#visitNixosModule(this.#valueOf(property), path);
  }

  #valueOf(property: TypeScript.ObjectLiteralElementLike): TypeScript.Node {
    return this.#ts.isPropertyAssignment(property) ? property.initializer : this.#ts.isShorthandPropertyAssignment(property) ? property.name : property;
  }

  /** A module of NixOS: an object, a function that returns one, a list of them. Those of its `imports` as well. */
  #visitNixosModule(node: TypeScript.Node, path: readonly string[]): void {
    if (++this.#steps > MAX_STEPS) return;
    const ts = this.#ts;
    const expression = this.#resolve(node);
    const key = `module ${expression.getSourceFile().fileName}:${expression.pos}`;
    if (this.#entered.has(key)) return;
    this.#entered.add(key);
    const returned = (body: TypeScript.Node): void => {
      if (!ts.isBlock(body)) return this.#visitNixosModule(body, path);
      const visit = (inner: TypeScript.Node): void => {
        if (ts.isFunctionLike(inner)) return;
        if (ts.isReturnStatement(inner) && inner.expression !== undefined) this.#visitNixosModule(inner.expression, path);
        else inner.forEachChild(visit);
      };
      body.forEachChild(visit);
    };
    if (ts.isArrayLiteralExpression(expression)) {
      for (const item of expression.elements) this.#visitNixosModule(ts.isSpreadElement(item) ? item.expression : item, path);
    } else if (ts.isObjectLiteralExpression(expression)) {
      this.#visitNixosModules(expression, "imports", path);
      const own = expression.properties.filter((property) => this.#nameOf(property) === "config");
      for (const part of own.length === 0 ? [expression] : own.map((property) => this.#valueOf(property))) this.#visit(part, path, 0);
    } else if ((ts.isArrowFunction(expression) || ts.isFunctionExpression(expression) || ts.isFunctionDeclaration(expression) || ts.isMethodDeclaration(expression)) && expression.body !== undefined) {
      returned(expression.body);
    } else if (ts.isConditionalExpression(expression)) {
      this.#visitNixosModule(expression.whenTrue, path);
      this.#visitNixosModule(expression.whenFalse, path);
    } else if (ts.isCallExpression(expression)) {
      // A function that makes a module, or `lib.mkIf(…)`.
      const callee = this.#resolve(expression.expression);
      if (callee !== expression.expression) this.#visitNixosModule(callee, path);
      for (const argument of expression.arguments) this.#visitNixosModule(argument, path);
    }
  }

  /** Everything that `node` may evaluate to, looked at with the rest of the path. */
  #visit(node: TypeScript.Node, path: readonly string[], depth: number): void {
    if (++this.#steps > MAX_STEPS) return;
    const ts = this.#ts;
    const expression = this.#resolve(node);
    // A constant that is made from itself.
    const key = `${expression.getSourceFile().fileName}:${expression.pos}:${depth}`;
    if (this.#entered.has(key)) return;
    this.#entered.add(key);
    try {
      if (ts.isObjectLiteralExpression(expression)) return this.#visitObject(expression, path, depth);
      if (ts.isArrayLiteralExpression(expression)) return this.#visitList(expression, path, depth);
      if (ts.isArrowFunction(expression) && !ts.isBlock(expression.body)) return this.#visit(expression.body, path, depth);
      if (ts.isArrowFunction(expression) || ts.isFunctionExpression(expression) || ts.isFunctionDeclaration(expression) || ts.isMethodDeclaration(expression) || ts.isGetAccessorDeclaration(expression)) {
        if (expression.body !== undefined) this.#visitReturns(expression.body, path, depth);
        return;
      }
      if (ts.isConditionalExpression(expression)) {
        this.#visit(expression.whenTrue, path, depth);
        this.#visit(expression.whenFalse, path, depth);
        return;
      }
      if (ts.isBinaryExpression(expression)) {
        this.#visit(expression.left, path, depth);
        this.#visit(expression.right, path, depth);
        return;
      }
      if (ts.isCallExpression(expression)) {
        // mkIf(condition, value), mkForce(value), Object.fromEntries(…): whatever holds an object may be it.
        for (const argument of expression.arguments) {
          const inner = this.#resolve(argument);
          if (ts.isArrayLiteralExpression(inner)) for (const item of inner.elements) this.#visit(item, path, depth);
          else this.#visit(inner, path, depth);
        }
        const callee = this.#resolve(expression.expression);
        if (callee !== expression.expression) this.#visit(callee, path, depth);
      }
    } finally {
      this.#entered.delete(key);
    }
  }

  #visitObject(object: TypeScript.ObjectLiteralExpression, path: readonly string[], depth: number): void {
    const ts = this.#ts;
    for (const property of object.properties) {
      if (ts.isSpreadAssignment(property)) {
        this.#visit(property.expression, path, depth);
        continue;
      }
      const name = this.#nameOf(property);
      const steps = name === undefined ? 0 : this.#matches(name, path, depth);
      if (steps === 0 || property.name === undefined) continue;
      const value: TypeScript.Node = ts.isPropertyAssignment(property) ? property.initializer : property;
      const before = this.found.length;
      if (depth + steps < path.length) {
        const inner = ts.isShorthandPropertyAssignment(property) ? property.name : value;
        this.#visit(inner, path, depth + steps);
      }
      const written = this.#resolve(value);
      const isPlain = ts.isObjectLiteralExpression(written) && !written.properties.some((inner) => ts.isSpreadAssignment(inner) || this.#nameOf(inner) === undefined);
      if (this.found.length === before) this.found.push({ name: this.#position(property.name), value: this.#position(value), depth: depth + steps, isPlain });
    }
  }

  #visitList(list: TypeScript.ArrayLiteralExpression, path: readonly string[], depth: number): void {
    const index = Number(path[depth]);
    const item = Number.isInteger(index) ? list.elements[index] : undefined;
    // After a spread nobody knows the index.
    if (item === undefined || list.elements.slice(0, index + 1).some((element) => this.#ts.isSpreadElement(element))) return;
    const before = this.found.length;
    if (depth + 1 < path.length) this.#visit(item, path, depth + 1);
    if (this.found.length === before) this.found.push({ name: this.#position(item), value: this.#position(item), depth: depth + 1 });
  }

  #visitReturns(body: TypeScript.Node, path: readonly string[], depth: number): void {
    const ts = this.#ts;
    const visit = (node: TypeScript.Node): void => {
      if (ts.isFunctionLike(node)) return;
      if (ts.isReturnStatement(node) && node.expression !== undefined) this.#visit(node.expression, path, depth);
      else node.forEachChild(visit);
    };
    body.forEachChild(visit);
  }

  /** How many names of the path from `depth` on the property's name stands for: `"a.b"` may be one or two. */
  #matches(name: string, path: readonly string[], depth: number): number {
    if (path[depth] === name) return 1;
    if (!name.includes(".")) return 0;
    const names = name.split(".");
    return names.every((part, i) => path[depth + i] === part) ? names.length : 0;
  }

  #nameOf(property: TypeScript.ObjectLiteralElementLike): string | undefined {
    const ts = this.#ts;
    const { name } = property;
    if (name === undefined) return undefined;
    if (ts.isIdentifier(name) || ts.isStringLiteral(name) || ts.isNumericLiteral(name) || ts.isNoSubstitutionTemplateLiteral(name)) return name.text;
    if (ts.isComputedPropertyName(name)) {
      const expression = this.#resolve(name.expression);
      if (ts.isStringLiteralLike(expression) || ts.isNumericLiteral(expression)) return expression.text;
    }
    return undefined;
  }

  /** The expression itself, without parentheses and types, and a constant's initializer for its name. */
  #resolve(node: TypeScript.Node): TypeScript.Node {
    const ts = this.#ts;
    let current = node;
    for (let i = 0; i < 50; i++) {
      if (ts.isParenthesizedExpression(current) || ts.isAsExpression(current) || ts.isSatisfiesExpression(current) || ts.isNonNullExpression(current)) current = current.expression;
      else if (ts.isIdentifier(current)) {
        const declared = this.#declaration(current.text, current.getSourceFile(), current);
        if (declared === undefined) return current;
        current = declared;
      } else return current;
    }
    return current;
  }

  #declaration(name: string, source: TypeScript.SourceFile, from: TypeScript.Node): TypeScript.Node | undefined {
    const ts = this.#ts;
    for (let scope: TypeScript.Node | undefined = from.parent; scope !== undefined; scope = scope.parent) {
      if (!ts.isBlock(scope) && !ts.isSourceFile(scope)) continue;
      for (const statement of scope.statements) {
        if (ts.isFunctionDeclaration(statement) && statement.name?.text === name) return statement;
        if (!ts.isVariableStatement(statement)) continue;
        for (const declaration of statement.declarationList.declarations) {
          if (ts.isIdentifier(declaration.name) && declaration.name.text === name) return declaration.initializer;
        }
      }
    }
    for (const statement of source.statements) {
      if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
      const { text } = statement.moduleSpecifier;
      const clause = statement.importClause;
      if (!text.startsWith(".") || clause === undefined) continue;
      const other = this.open(resolve(dirname(source.fileName), text)) ?? this.open(resolve(dirname(source.fileName), `${text}.ts`));
      if (other === undefined) continue;
      if (clause.name?.text === name) return this.defaultExport(other);
      if (clause.namedBindings !== undefined && ts.isNamedImports(clause.namedBindings)) {
        const element = clause.namedBindings.elements.find((e) => e.name.text === name);
        if (element !== undefined) return this.#exported(other, (element.propertyName ?? element.name).text);
      }
    }
    return undefined;
  }

  #exported(source: TypeScript.SourceFile, name: string): TypeScript.Node | undefined {
    const ts = this.#ts;
    for (const statement of source.statements) {
      if (ts.isFunctionDeclaration(statement) && statement.name?.text === name) return statement;
      if (!ts.isVariableStatement(statement)) continue;
      for (const declaration of statement.declarationList.declarations) if (ts.isIdentifier(declaration.name) && declaration.name.text === name) return declaration.initializer;
    }
    return undefined;
  }

  #position(node: TypeScript.Node): SourcePosition {
    const source = node.getSourceFile();
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
    return { file: source.fileName, line: line + 1, column: character + 1 };
  }
}
