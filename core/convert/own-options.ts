import { fromByteString, type ByteString } from "../util/bytes.ts";
import { attributeTree, isEntries, type AttributeEntry } from "./attribute-tree.ts";
import { bare, staticName, type ConcreteAttributes, type ConcreteExpression } from "./concrete-syntax.ts";
import { valueOf } from "./find-system.ts";
import { quote } from "./typescript-names.ts";

/** An option that a module declares: its path, and the type that reading it has. */
export type OwnOption = { readonly path: string; readonly type: string };

const TYPES: ReadonlyMap<string, string> = new Map([
  ["bool", "boolean"],
  ...["int", "port", "float", "number"].map((name) => [name, "number"] as const),
  ...["str", "nonEmptyStr", "singleLineStr", "lines", "commas", "envVar"].map((name) => [name, "string"] as const),
]);

/**
 * The options that a file's module declares, as far as its text says: those of computed names are left out, and what is
 * no plain type is any value.
 */
export function ownOptions(expression: ConcreteExpression): readonly OwnOption[] {
  const body = moduleBody(expression);
  if (body === undefined) return [];
  const options = attributeTree(body.bindings).find(({ name }) => staticName(name) === "options");
  return options === undefined || !isEntries(options.value) ? [] : [...optionsIn(options.value, [])];
}

/** What `tsos update` cannot know of a pinned tree, since the project has it. */
export function declareOwnOptions(options: readonly OwnOption[], owner: "NixosOwnOptions" | "HomeOwnOptions"): string {
  const lines = options.map(({ path, type }) => `    readonly ${quote(path)}: ${type};\n`);
  return `declare module "tsos" {\n  interface ${owner} {\n${lines.join("")}  }\n}`;
}

/** Whether it is a module of home-manager: it says whose home it is. */
export function definesHome(expression: ConcreteExpression): boolean {
  const entries = attributeTree(moduleBody(expression)?.bindings ?? []);
  const home = entries.find(({ name }) => staticName(name) === "home")?.value;
  return home !== undefined && isEntries(home) && home.some(({ name }) => ["username", "homeDirectory"].includes(staticName(name) ?? ""));
}

function moduleBody(expression: ConcreteExpression): ConcreteAttributes | undefined {
  for (let e = bare(expression); ; ) {
    if (e.kind === "attributes") return e;
    if (e.kind !== "lambda" && e.kind !== "let" && e.kind !== "with" && e.kind !== "assert") return undefined;
    e = bare(e.body);
  }
}

function* optionsIn(entries: readonly AttributeEntry[], path: readonly string[]): Generator<OwnOption> {
  for (const { name, value } of entries) {
    const text = name.kind === "static" ? fromByteString(name.name) : undefined;
    // The types of a project name options by paths with points.
    if (text === undefined || text.includes(".")) continue;
    const inner = [...path, text];
    if (isEntries(value)) yield* optionsIn(value, inner);
    else yield { path: inner.join("."), type: value.kind === "inherited" ? "NixValue" : typeOfOption(value) };
  }
}

function typeOfOption(e: ConcreteExpression): string {
  const call = bare(e);
  if (call.kind !== "call") return "NixValue";
  const name = lastName(call.function);
  if (name === "mkEnableOption") return "boolean";
  const set = bare(call.arguments[0]!);
  const type = name === "mkOption" && set.kind === "attributes" ? valueOf(set, "type") : undefined;
  return (type === undefined ? undefined : typeOf(type)) ?? "NixValue";
}

function typeOf(e: ConcreteExpression): string | undefined {
  const type = bare(e);
  if (type.kind !== "call") return TYPES.get(lastName(type) ?? "");
  if (lastName(type.function) !== "listOf") return undefined;
  const element = typeOf(type.arguments[0]!);
  return element === undefined ? undefined : `readonly ${element}[]`;
}

/** `str` of `types.str`, `lib.types.str` and, below a `with`, of `str`. */
function lastName(e: ConcreteExpression): ByteString | undefined {
  const plain = bare(e);
  if (plain.kind === "variable") return plain.name;
  return plain.kind === "select" && plain.default === undefined ? staticName(plain.path.at(-1)) : undefined;
}
