import { ts } from "@ts-morph/common";
import type { ImportedName } from "./option-interface.ts";

/** Who prints a type decides what of it has a name of its own. */
export type PrintingContext = {
  readonly checker: ts.TypeChecker;
  readonly program: ts.Program;
  /** The name of the interface for a tree of options, when the type is one. */
  findInterface(type: ts.Type): string | undefined;
  /** The name by which something that a source exports is known here. */
  importName(symbol: ts.Symbol, file: string): ImportedName;
};

/** A type as TypeScript that a declaration file can hold, and what it imports. */
export type PrintedType = { readonly text: string; readonly imports: ReadonlySet<ImportedName> };

/**
 * Prints a type as the checker has computed it. Aliases and interfaces that a source exports are named, so that
 * they are resolved where they are used; all else is written out.
 * @throws Error for a type that cannot be written: a bug of this file or of the option's type.
 */
export function printType(context: PrintingContext, type: ts.Type): PrintedType {
  const printer = new TypePrinter(context);
  const text = printer.print(type);
  return { text, imports: printer.imports };
}

const INTRINSIC =
  ts.TypeFlags.Unknown | ts.TypeFlags.Never | ts.TypeFlags.Void | ts.TypeFlags.Undefined | ts.TypeFlags.Null |
  ts.TypeFlags.String | ts.TypeFlags.Number | ts.TypeFlags.BigInt | ts.TypeFlags.Boolean | ts.TypeFlags.ESSymbol |
  ts.TypeFlags.NonPrimitive | ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral | ts.TypeFlags.BooleanLiteral |
  ts.TypeFlags.BigIntLiteral | ts.TypeFlags.TemplateLiteral;

const FLAGS = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseStructuralFallback;
const MAX_DEPTH = 40;

class TypePrinter {
  readonly imports = new Set<ImportedName>();
  readonly #context: PrintingContext;
  readonly #checker: ts.TypeChecker;
  #depth = 0;

  constructor(context: PrintingContext) {
    this.#context = context;
    this.#checker = context.checker;
  }

  print(type: ts.Type): string {
    if (++this.#depth > MAX_DEPTH) throw new Error(`the type ${this.#checker.typeToString(type)} is too deep to be written`);
    try {
      return this.#print(type);
    } finally {
      this.#depth--;
    }
  }

  #print(type: ts.Type): string {
    const tree = this.#context.findInterface(type);
    if (tree !== undefined) return tree;
    const { aliasSymbol } = type;
    if (aliasSymbol !== undefined) {
      const name = this.#findName(aliasSymbol);
      if (name !== undefined) return this.#withArguments(name, type.aliasTypeArguments ?? []);
    }
    if (type.flags & INTRINSIC) return this.#checker.typeToString(type, undefined, FLAGS);
    if (type.isUnion()) return this.#printUnion(type);
    if (type.isIntersection()) return type.types.map((part) => bracket(this.print(part), /=>| \| /)).join(" & ");
    if (type.flags & ts.TypeFlags.Object) return this.#printObject(type as ts.ObjectType);
    throw new Error(`the type ${this.#checker.typeToString(type)} cannot be written in a declaration`);
  }

  #printUnion(type: ts.UnionType): string {
    const isBoolean = type.types.filter((part) => part.flags & ts.TypeFlags.BooleanLiteral).length === 2;
    const parts = new Set<string>();
    for (const part of type.types) {
      const text = isBoolean && part.flags & ts.TypeFlags.BooleanLiteral ? "boolean" : this.print(part);
      parts.add(bracket(text, /=>/));
    }
    return [...parts].join(" | ");
  }

  #printObject(type: ts.ObjectType): string {
    if (this.#checker.isTupleType(type)) return this.#printTuple(type as ts.TupleTypeReference);
    if (this.#checker.isArrayType(type)) {
      // An array has one type argument: that of its elements.
      const [element] = this.#checker.getTypeArguments(type as ts.TypeReference);
      const isReadonly = type.symbol.name === "ReadonlyArray";
      return `${isReadonly ? "readonly " : ""}${bracket(this.print(element!), /[ |&=]/)}[]`;
    }
    if (type.objectFlags & (ts.ObjectFlags.Reference | ts.ObjectFlags.ClassOrInterface)) {
      const name = this.#findName(type.symbol);
      if (name === undefined) throw new Error(`"${type.symbol.name}" is not exported, so no declaration can name it`);
      return this.#withArguments(name, this.#checker.getTypeArguments(type as ts.TypeReference));
    }
    return this.#printMembers(type);
  }

  #printTuple(type: ts.TupleTypeReference): string {
    const { elementFlags, readonly } = type.target;
    const elements = this.#checker.getTypeArguments(type).map((element, i) => {
      const flags = elementFlags[i] ?? ts.ElementFlags.Required;
      const text = bracket(this.print(element), /[ |&=]/);
      return flags & ts.ElementFlags.Rest ? `...${text}[]` : flags & ts.ElementFlags.Optional ? `${text}?` : text;
    });
    return `${readonly ? "readonly " : ""}[${elements.join(", ")}]`;
  }

  #printMembers(type: ts.ObjectType): string {
    const members: string[] = [];
    const signatures = type.getCallSignatures();
    if (signatures.length === 1 && type.getProperties().length === 0) return this.#printSignature(signatures[0]!, " => ");
    for (const signature of signatures) members.push(this.#printSignature(signature, ": "));
    for (const info of this.#checker.getIndexInfosOfType(type)) {
      members.push(`${info.isReadonly ? "readonly " : ""}[name: ${this.print(info.keyType)}]: ${this.print(info.type)}`);
    }
    for (const property of type.getProperties()) {
      const isReadonly = !isDeclaredMutable(property);
      const optional = property.flags & ts.SymbolFlags.Optional ? "?" : "";
      members.push(`${isReadonly ? "readonly " : ""}${printName(property.name)}${optional}: ${this.print(this.#checker.getTypeOfSymbol(property))}`);
    }
    return members.length === 0 ? "{}" : `{ ${members.join("; ")} }`;
  }

  #printSignature(signature: ts.Signature, arrow: string): string {
    if (signature.typeParameters !== undefined) throw new Error("a generic function cannot be written in a declaration");
    const parameters = signature.parameters.map((parameter) => {
      const declaration = parameter.valueDeclaration;
      const isOptional = declaration !== undefined && ts.isParameter(declaration) && this.#checker.isOptionalParameter(declaration);
      const rest = declaration !== undefined && ts.isParameter(declaration) && declaration.dotDotDotToken !== undefined ? "..." : "";
      const name = /^[A-Za-z_$][\w$]*$/.test(parameter.name) ? parameter.name : "argument";
      return `${rest}${name}${isOptional ? "?" : ""}: ${this.print(this.#checker.getTypeOfSymbol(parameter))}`;
    });
    return `(${parameters.join(", ")})${arrow}${this.print(signature.getReturnType())}`;
  }

  #withArguments(name: string, args: readonly ts.Type[]): string {
    const texts = args.map((argument) => this.print(argument));
    // The last one is left out where it is the default.
    if (name === "Option" && texts[0] === texts[1]) texts.pop();
    if (name === "OpenSubmoduleDefinition" && texts[1] === "never") texts.pop();
    return texts.length === 0 ? name : `${name}<${texts.join(", ")}>`;
  }

  /** The name of something that is exported or global; undefined for what only its own file knows. */
  #findName(symbol: ts.Symbol): string | undefined {
    const source = symbol.declarations?.[0]?.getSourceFile();
    if (source === undefined) return undefined;
    if (this.#context.program.isSourceFileDefaultLibrary(source)) return symbol.name;
    const module = this.#checker.getSymbolAtLocation(source);
    if (module?.exports?.get(symbol.escapedName) === undefined) return undefined;
    const name = this.#context.importName(symbol, source.fileName);
    this.imports.add(name);
    return name.local;
  }
}

// Properties of mapped types have no signature of their own; those of option types are all readonly.
function isDeclaredMutable(property: ts.Symbol): boolean {
  return property.declarations?.some((declaration) => ts.isPropertySignature(declaration) && (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Readonly) === 0) === true;
}

function bracket(text: string, needs: RegExp): string {
  return needs.test(text) && !/^\{[^{}]*\}$/.test(text) ? `(${text})` : text;
}

/** A property's name as it stands in an interface. */
export function printName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
