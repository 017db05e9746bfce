import { ts } from "@ts-morph/common";
import type { RelatedPosition, TsosErrorInit } from "../error/tsos-error.ts";
import { findNearestName } from "../util/suggest.ts";
import { impureNames } from "./impure-names.ts";

/** What the compiler says, as an error of tsos: in a user's words where the compiler speaks of tsos's own types. */
export function explainDiagnostic(diagnostic: ts.Diagnostic, checker: ts.TypeChecker): TsosErrorInit {
  const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
  const code = `type.ts${diagnostic.code}`;
  // The compiler would have the user install what makes the name known, and then the evaluation fails.
  const name = /^Cannot find name '(\w+)'/.exec(text)?.[1];
  const instead = name === undefined ? undefined : impureNames.get(name);
  if (instead !== undefined) return { code: "config.impure", message: `"${name}" is not available in a configuration`, hint: instead, at: placeOf(diagnostic) };
  // What may be written where an option was that is gone says what to do instead.
  const removed = /\bOptionRemoved<("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  if (removed !== undefined) return { code, message: `the option has been removed: ${String(JSON.parse(removed))}`, at: placeOf(diagnostic) };
  const wrong = findWrongName(text);
  if (wrong !== undefined) {
    const property = findProperty(diagnostic, wrong);
    const nearest = property === undefined ? undefined : findNearestName(wrong, namesBeside(property, checker));
    return {
      code,
      message: `there is no option "${wrong}"${property === undefined ? "" : ` here`}`,
      at: property === undefined ? placeOf(diagnostic) : placeOf({ file: diagnostic.file, start: property.name.getStart(diagnostic.file) }),
      hint: nearest !== undefined ? `did you mean "${nearest}"?` : OF_NIXOS.test(text) ? OWN_OPTIONS : undefined,
    };
  }
  const unread = diagnostic.code === NO_PROPERTY ? /^Property '([^']+)' does not exist on type 'NixosConfigOf</.exec(text)?.[1] : undefined;
  if (unread !== undefined) return { code, message: `there is no option "${unread}" here`, at: placeOf(diagnostic), hint: OWN_OPTIONS };
  const overload = diagnostic.code === NO_OVERLOAD ? /.*^ *Overload \d+ of \d+.*?\n(.*)$/ms.exec(text)?.[1] : undefined;
  const related = (diagnostic.relatedInformation ?? []).flatMap((info): RelatedPosition[] => {
    const at = placeOf(info);
    return at === undefined ? [] : [{ ...at, note: lowerFirst(ts.flattenDiagnosticMessageText(info.messageText, "\n")) }];
  });
  return { code, message: shorten(lowerFirst(overload?.trimStart() ?? text)), at: placeOf(diagnostic), related };
}

/** The name that the compiler finds too many, where that is an option's. */
function findWrongName(text: string): string | undefined {
  const marked = /NoSuchOption<"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  return marked ?? /known properties, (?:and|but) '([^']+)' does not exist in type '[^']*\b(?:Definitions|DefinitionsOf)\b/.exec(text)?.[1];
}

/** The property of that name at or in the node that is complained of, where there is just one. */
function findProperty({ file, start, length = 0 }: ts.Diagnostic, name: string): ts.ObjectLiteralElementLike & { readonly name: ts.PropertyName } | undefined {
  if (file === undefined || start === undefined) return undefined;
  const found: (ts.ObjectLiteralElementLike & { readonly name: ts.PropertyName })[] = [];
  const visit = (node: ts.Node, from: number, to: number): void => {
    if (node.end < from || node.getStart(file) > to) return;
    if (isNamed(node) && node.getStart(file) >= from && "text" in node.name && node.name.text === name) found.push(node);
    ts.forEachChild(node, (child) => visit(child, from, to));
  };
  visit(file, start, start + length);
  // An error of a whole function stands at its property's name: what it is about is in the value.
  if (found.length === 0) {
    const around = enclosingProperty(file, start);
    if (around !== undefined) visit(around, around.getStart(file), around.end);
  }
  return found.length === 1 ? found[0] : undefined;
}

function enclosingProperty(file: ts.SourceFile, start: number): ts.Node | undefined {
  let around: ts.Node | undefined;
  const visit = (node: ts.Node): void => {
    if (node.getStart(file) > start || node.end <= start) return;
    if (isNamed(node)) around = node;
    ts.forEachChild(node, visit);
  };
  visit(file);
  return around;
}

function isNamed(node: ts.Node): node is ts.ObjectLiteralElementLike & { readonly name: ts.PropertyName } {
  return ts.isObjectLiteralElementLike(node) && node.name !== undefined;
}

/** The names that an object literal may have where it stands. */
function namesBeside(property: ts.ObjectLiteralElementLike, checker: ts.TypeChecker): readonly string[] {
  if (!ts.isObjectLiteralExpression(property.parent)) return [];
  const type = checker.getContextualType(property.parent);
  const types = type === undefined ? [] : type.isUnion() ? type.types : [type];
  // What is too much is in the type as well, with a mark for its own.
  return types.flatMap((part) => checker.getPropertiesOfType(part)).filter((symbol) => !checker.typeToString(checker.getTypeOfSymbol(symbol)).includes("NoSuchOption<")).map(({ name }) => name);
}

function placeOf({ file, start }: Pick<ts.DiagnosticRelatedInformation, "file" | "start">) {
  if (file === undefined || start === undefined) return undefined;
  const { line, character } = file.getLineAndCharacterOfPosition(start);
  return { file: file.fileName, line: line + 1, column: character + 1 };
}

// Of several forms of one function the last is the plain one: what the others say of the same mistake is the same again.
const NO_OVERLOAD = 2769;

/** Where the compiler knows of no name that is near. */
const NO_PROPERTY = 2339;
const OF_NIXOS = /\b(?:Nixos|Home)Definitions/;
const OWN_OPTIONS = 'options that NixOS and home-manager do not have are declared: declare module "tsos" { interface NixosOwnOptions { "path.of.option": boolean } } (HomeOwnOptions for a home)';

const MAX_WIDTH = 240;
const MAX_LINES = 4;

/** The compiler prints types whole; the first line says what, the last ones say which part. */
function shorten(text: string): string {
  const lines = text.split("\n").map((line) => (line.length > MAX_WIDTH ? `${line.slice(0, MAX_WIDTH)}…` : line));
  return (lines.length > MAX_LINES ? [lines[0], ...lines.slice(1 - MAX_LINES)] : lines).join("\n");
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}
