import { printComment, printLeading } from "./comments.ts";
import { bare, childrenOf, type ConcreteExpression, type ConcreteFile } from "./concrete-syntax.ts";
import { convertBindings } from "./convert-bindings.ts";
import { convertStatements } from "./convert-block.ts";
import { convertModules } from "./convert-list.ts";
import { convertShell } from "./convert-shell.ts";
import type { Converter, FileContext, Mark, Needs, Place } from "./converter.ts";
import { ExpressionConverter } from "./expression-converter.ts";
import { findSystem } from "./find-system.ts";
import { scopeOfWith } from "./known-values.ts";
import { hard, join, printLayout, type Layout } from "./layout.ts";
import { at, Strength } from "./printed.ts";

/** What a file is for: the machine, what modules import, what an expression imports, a shell. */
export type FileKind = "system" | "module" | "value" | "shell";

export type ConvertedInput = { readonly name: string; readonly repository: string; readonly ref: string };

export type FileRequest = {
  readonly kind: FileKind;
  /** What its main constant is called. */
  readonly name: string;
  readonly context: FileContext;
  /** Whether its modules are those of a user's home. */
  readonly isHome: boolean;
  /** Names that its imports have. */
  readonly taken: ReadonlySet<string>;
};

export type ConvertedBody = {
  /** All below the imports. */
  readonly text: string;
  readonly needs: Needs;
  readonly header: string;
  /** How many expressions it has: one for each call, set, list, string and so on. */
  readonly expressions: number;
  readonly marks: readonly Mark[];
};

/** A file's text in TypeScript, but for the imports, which depend on what it needs. */
export function convertFile(file: ConcreteFile, request: FileRequest): ConvertedBody {
  // Whether nixpkgs' own library is needed is known only when all is converted.
  const first = attempt(file, request, true);
  return first.needs.nixpkgsLib ? first : attempt(file, request, false);
}

function attempt(file: ConcreteFile, request: FileRequest, takesLib: boolean): ConvertedBody {
  const converter = new ExpressionConverter(file, request.context, takesLib, new Set([...request.taken, ...(takesLib ? [] : ["lib"])]));
  const body = request.kind === "shell" ? convertShell(converter, file.expression) : convertBody(converter, file.expression, request);
  const { before, after } = converter.comments;
  const header = before.filter(({ text }) => !text.startsWith("#!"));
  return {
    header: header.length === 0 ? "" : `${printLayout(join(header.map(printComment), hard))}\n`,
    text: `${printLayout(body).trim()}\n${after.length === 0 ? "" : `\n${printLayout(printLeading(after)).trim()}\n`}`,
    needs: converter.needs,
    expressions: countExpressions(file.expression),
    marks: converter.needs.marks,
  };
}

function convertBody(converter: Converter, expression: ConcreteExpression, { kind, name, isHome }: FileRequest): Layout {
  const statements: Layout[] = [];
  if (kind === "system" && !isHome) {
    const system = findSystem(expression);
    if (system !== undefined) {
      const start: Place = { scope: undefined, isDeferred: false };
      const outer = system.around.reduce((place, one) => (one.kind === "let" ? convertBindings(converter, one.bindings, place, statements) : (scopeOfWith(converter, one, place) ?? place)), start);
      const { result, notes } = converter.noting((): Layout => {
        const modules = bare(system.modules);
        const list = modules.kind === "list" ? convertModules(converter, modules, outer) : ["[...", at(Strength.unary, converter.convert(modules, { ...outer, inImports: true })), "]"];
        const special = system.specialArgs === undefined ? [] : [", specialArgs: ", at(Strength.arrow, converter.convert(system.specialArgs, outer))];
        return ["defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: ", list, ...special, " })"];
      });
      converter.needs.imports.add("defineNixosSystem");
      return join([...statements, [...notes, "export default ", result, ";"]], [hard, hard]);
    }
  }
  const start: Place = { scope: undefined, isDeferred: false, ...(kind === "value" ? {} : { inImports: false }) };
  const top = bare(expression);
  const { inner, value } = top.kind === "attributes" ? { inner: start, value: expression } : convertStatements(converter, expression, start, statements);
  const main = bare(value ?? expression);
  const isModule = kind !== "value";
  const { result, notes } = converter.noting(() => (main.kind === "lambda" ? converter.lambda(main, inner, isModule ? "" : ": NixValue") : converter.convert(main, inner)));
  const moduleType = isHome ? "HomeModule" : "NixosModule";
  const type = isModule ? `: ${moduleType}` : "";
  if (isModule) converter.needs.imports.add(`type ${moduleType}`);
  const statement: Layout = [...notes, `const ${name}${type} = `, at(Strength.arrow, result), ";"];
  if (kind === "system") {
    const define = isHome ? "defineHome" : "defineNixosSystem";
    converter.needs.imports.add(define);
    return join([...statements, statement, `export default ${define}({ nixpkgs: inputs.nixpkgs, ${isHome ? "homeManager: inputs.homeManager, " : ""}modules: [${name}] });`], [hard, hard]);
  }
  if (kind === "module") return join([...statements, statement, `export default ${name};`], [hard, hard]);
  return join([...statements, [...notes, "export default ", at(Strength.arrow, result), ";"]], [hard, hard]);
}

function countExpressions(e: ConcreteExpression): number {
  let count = 0;
  const visit = (one: ConcreteExpression): void => {
    if (one.kind !== "parentheses") count++;
    for (const child of childrenOf(one)) visit(child);
  };
  visit(e);
  return count;
}

/** How much of a file stayed Nix: the expressions inside of its marks. */
export function countMarked(file: ConcreteFile, marks: readonly Mark[]): number {
  let count = 0;
  const visit = (one: ConcreteExpression): void => {
    if (one.kind !== "parentheses" && marks.some((mark) => mark.start <= one.start && one.end <= mark.end)) count++;
    for (const child of childrenOf(one)) visit(child);
  };
  visit(file.expression);
  return count;
}
