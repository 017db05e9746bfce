import { ts } from "@ts-morph/common";
import { compareUtf8 } from "../../util/ordering.ts";
import { documentOption } from "./documentation.ts";
import type { ImportedName, OptionInterface, OptionMember, SourcePlace } from "./option-interface.ts";
import { printType } from "./type-printer.ts";
import type { PrintingContext } from "./type-printer.ts";

export type OptionTreeReader = {
  /** The members of a registry interface, each a module's tree of options, as one tree. */
  read(registry: "OptionModules" | "ShellOptionModules", rootName: string): OptionInterface;
};

/**
 * Reads trees of declared options out of a checked program: what the checker infers of them, what their
 * declarations say, and where they stand.
 * @param registryFile core/option/registry.ts of the program
 */
export function createOptionTreeReader(program: ts.Program, registryFile: string): OptionTreeReader {
  return new Reader(program, registryFile);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Reader implements OptionTreeReader {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  readonly #registry: ts.SourceFile;
  readonly #names = new Set<string>();
  readonly #imports = new Map<string, ImportedName>();
  readonly #interfaces = new Map<ts.Type, OptionInterface>();
  readonly #isTree = new Map<ts.Type, boolean>();

  constructor(program: ts.Program, registryFile: string) {
    this.#program = program;
    this.#checker = program.getTypeChecker();
    const registry = program.getSourceFile(registryFile);
    if (registry === undefined) throw new Error(`assertion failed: ${registryFile} is not in the program`);
    this.#registry = registry;
  }

  read(registry: "OptionModules" | "ShellOptionModules", rootName: string): OptionInterface {
    const module = this.#checker.getSymbolAtLocation(this.#registry);
    const symbol = this.#checker.getExportsOfModule(module!).find(({ name }) => name === registry);
    if (symbol === undefined) throw new Error(`assertion failed: ${registry} is not in ${this.#registry.fileName}`);
    const modules = this.#checker.getPropertiesOfType(this.#checker.getDeclaredTypeOfSymbol(symbol));
    return this.#readInterface(modules.map((property) => this.#checker.getTypeOfSymbol(property)), [], rootName);
  }

  /** Trees laid over one another. */
  #readInterface(trees: readonly ts.Type[], path: readonly string[], name?: string): OptionInterface {
    const members: OptionMember[] = [];
    const result: Mutable<OptionInterface> = { name: this.#uniqueName(name ?? nameOf(path)), path, members };
    // A submodule can name itself: it is known before what it holds is read.
    if (trees.length === 1) this.#interfaces.set(trees[0]!, result);
    const properties = new Map<string, ts.Symbol[]>();
    for (const tree of trees) {
      for (const property of this.#checker.getPropertiesOfType(tree)) properties.set(property.name, [...(properties.get(property.name) ?? []), property]);
    }
    for (const [member, symbols] of [...properties].sort(([a], [b]) => compareUtf8(a, b))) members.push(this.#readMember(member, symbols, [...path, member]));
    return result;
  }

  #readMember(name: string, symbols: readonly ts.Symbol[], path: readonly string[]): OptionMember {
    const types = symbols.map((symbol) => this.#checker.getTypeOfSymbol(symbol));
    const place = placeOf(symbols[0]!);
    if (types.every((type) => !isOptionType(type))) {
      const documentation = ts.displayPartsToString(symbols[0]!.getDocumentationComment(this.#checker));
      return { kind: "branch", name, documentation: documentation === "" ? [] : documentation.split("\n"), place, imports: new Set(), inner: this.#readInterface(types, path) };
    }
    const inner: OptionInterface[] = [];
    const imports = new Set<ImportedName>();
    const context: PrintingContext = {
      checker: this.#checker,
      program: this.#program,
      findInterface: (type) => {
        const known = this.#interfaces.get(type);
        if (known !== undefined) return known.name;
        if (!this.#isSubmoduleTree(type)) return undefined;
        const found = this.#readInterface([type], path);
        inner.push(found);
        return found.name;
      },
      importName: (symbol, file) => this.#importName(symbol, file),
    };
    const texts = types.map((type) => {
      const printed = printOption(context, type, path);
      for (const used of printed.imports) imports.add(used);
      return printed.text;
    });
    const documentation = symbols.map((symbol) => documentOption(this.#checker, symbol)).find((lines) => lines.length > 0) ?? [];
    return { kind: "option", name, documentation, place, imports, type: [...new Set(texts)].join(" & "), inner };
  }

  // A tree has options, or trees, under all of its names, and no name of its own.
  #isSubmoduleTree(type: ts.Type): boolean {
    const known = this.#isTree.get(type);
    if (known !== undefined) return known;
    this.#isTree.set(type, false);
    const isPlain = (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0 && type.aliasSymbol === undefined && !type.isClassOrInterface();
    const properties = isPlain && type.getCallSignatures().length === 0 && this.#checker.getIndexInfosOfType(type).length === 0 && !this.#checker.isArrayType(type) && !this.#checker.isTupleType(type) ? type.getProperties() : [];
    const is = properties.length > 0 && properties.every((property) => {
      const inner = this.#checker.getTypeOfSymbol(property);
      return isOptionType(inner) || this.#isSubmoduleTree(inner);
    });
    this.#isTree.set(type, is);
    return is;
  }

  #uniqueName(name: string): string {
    let unique = name;
    for (let i = 2; this.#names.has(unique); i++) unique = `${name}_${i}`;
    this.#names.add(unique);
    return unique;
  }

  #importName(symbol: ts.Symbol, file: string): ImportedName {
    const key = `${file}\0${symbol.name}`;
    let found = this.#imports.get(key);
    if (found === undefined) this.#imports.set(key, (found = { file, name: symbol.name, local: this.#uniqueName(symbol.name) }));
    return found;
  }
}

function printOption(context: PrintingContext, type: ts.Type, path: readonly string[]): ReturnType<typeof printType> {
  try {
    return printType(context, type);
  } catch (error) {
    throw new Error(`the type of the option "${path.join(".")}" cannot be written down`, { cause: error });
  }
}

function isOptionType(type: ts.Type): boolean {
  // The symbol of what `option(…)` returns; an option that two modules declare is seen here once for each.
  return type.symbol?.name === "Option" && (type.symbol.declarations?.[0]?.getSourceFile().fileName.endsWith("/core/option/option.ts") ?? false);
}

function nameOf(path: readonly string[]): string {
  const words = path.flatMap((name) => name.split(/[^A-Za-z0-9]+/)).filter((word) => word !== "");
  const name = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
  return /^[A-Z]/.test(name) ? name : `Options${name}`;
}

function placeOf(symbol: ts.Symbol): SourcePlace | undefined {
  const declaration = symbol.valueDeclaration;
  if (declaration === undefined) return undefined;
  const source = declaration.getSourceFile();
  const at = (ts.getNameOfDeclaration(declaration) ?? declaration).getStart(source);
  const { line, character } = source.getLineAndCharacterOfPosition(at);
  return { file: source.fileName, line, column: character };
}
