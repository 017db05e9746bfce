import { basename, dirname, relative } from "node:path";
import { decodedMap, encodedMap, TraceMap, type SourceMapSegment } from "@jridgewell/trace-mapping";
import { ts } from "@ts-morph/common";

/**
 * The map of the declarations of the package set, whose names lead to the packages' own files, and not to the list of
 * them that is generated.
 *
 * @param declarations the text of the declaration file, and where it goes
 * @param map its map as the compiler wrote it
 */
export function leadToPackages(source: ts.SourceFile, checker: ts.TypeChecker, declarations: { readonly file: string; readonly text: string }, map: string): string {
  const packages = findPackages(source, checker);
  const traced = new TraceMap(map);
  const sources = [...traced.sources] as string[];
  const mappings: SourceMapSegment[][] = decodedMap(traced).mappings.map((segments) => [...segments]);
  for (const [line, text] of declarations.text.split("\n").entries()) {
    const [, before = "", key = ""] = /^(\s+readonly )("[^"]+"|[\w$]+): Package;$/.exec(text) ?? [];
    const place = packages.get(key.replaceAll('"', ""));
    if (key === "" || place === undefined) continue;
    const index = sources.push(relative(dirname(declarations.file), place.file)) - 1;
    mappings[line] = [[before.length, index, place.line, place.column]];
  }
  const led = new TraceMap({ version: 3, file: basename(declarations.file), names: [], sources, mappings });
  return JSON.stringify({ ...encodedMap(led), sourceRoot: undefined, sourcesContent: undefined });
}

type Place = { readonly file: string; readonly line: number; readonly column: number };

/** Of every name in `allPackages` where the file that is imported for it says what it exports. */
function findPackages(source: ts.SourceFile, checker: ts.TypeChecker): ReadonlyMap<string, Place> {
  const found = new Map<string, Place>();
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)) {
      const local = ts.isShorthandPropertyAssignment(node) ? checker.getShorthandAssignmentValueSymbol(node) : checker.getSymbolAtLocation(node.initializer);
      const exported = local !== undefined && (local.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(local) : undefined;
      const declaration = exported?.declarations?.[0];
      if (declaration !== undefined && (ts.isIdentifier(node.name) || ts.isStringLiteral(node.name))) {
        const file = declaration.getSourceFile();
        const { line, character } = file.getLineAndCharacterOfPosition(declaration.getStart(file));
        found.set(node.name.text, { file: file.fileName, line, column: character });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
