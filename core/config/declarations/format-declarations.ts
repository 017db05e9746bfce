import { basename, dirname, relative } from "node:path";
import { encodedMap, TraceMap } from "@jridgewell/trace-mapping";
import type { SourceMapSegment } from "@jridgewell/trace-mapping";
import { compareUtf8 } from "../../util/ordering.ts";
import { commentLines } from "./documentation.ts";
import type { ImportedName, OptionInterface, OptionMember, SourcePlace } from "./option-interface.ts";
import { printName } from "./type-printer.ts";

export type FormatInit = {
  readonly root: OptionInterface;
  /** The file of the root; what is below it stands in a folder of the same name without `.d.ts`. */
  readonly file: string;
  /** The declaration file of a source. */
  declarationOf(source: string): string;
};

/** About how many characters go into one file: a prefix with more is divided into its own prefixes. */
const FILE_SIZE = 64 * 1024;

/**
 * Writes a tree down as declaration files, one interface for each set of options, divided by prefix; beside each file
 * a map that leads an editor from an option to the place in the module's source that declares it.
 * @returns texts by path
 */
export function formatDeclarations(init: FormatInit): ReadonlyMap<string, string> {
  const chunks = new Map<OptionInterface, Chunk>();
  measure(init.root, chunks);
  const files = new Map<string, OptionInterface[]>();
  divide(init.root, init.file, chunks, files);
  const homes = new Map<string, string>();
  for (const [file, interfaces] of files) for (const { name } of interfaces) homes.set(name, file);
  const texts = new Map<string, string>();
  for (const [file, interfaces] of files) writeFile(file, interfaces, homes, chunks, init, texts);
  return texts;
}

/** An interface's own text, and the size of all that is below it. */
type Chunk = { readonly lines: readonly Line[]; readonly size: number };
type Line = { readonly text: string; readonly at?: { readonly column: number; readonly place: SourcePlace } };

function measure(tree: OptionInterface, chunks: Map<OptionInterface, Chunk>): number {
  const known = chunks.get(tree);
  if (known !== undefined) return 0;
  const lines: Line[] = [{ text: `export interface ${tree.name} {` }, ...tree.members.flatMap(formatMember), { text: "}" }];
  const own = lines.reduce((sum, { text }) => sum + text.length + 1, 0);
  const chunk = { lines, size: own };
  chunks.set(tree, chunk);
  chunk.size += below(tree).reduce((sum, inner) => sum + measure(inner, chunks), 0);
  return chunk.size;
}

function below(tree: OptionInterface): readonly OptionInterface[] {
  return tree.members.flatMap((member) => (member.kind === "branch" ? [member.inner] : member.inner));
}

function formatMember(member: OptionMember): readonly Line[] {
  const documentation = commentLines(member.documentation);
  const comment = documentation.length === 0 ? [] : documentation.length === 1 ? [`  /** ${documentation[0]} */`] : ["  /**", ...documentation.map((line) => `   * ${line}`.trimEnd()), "   */"];
  const type = member.kind === "branch" ? member.inner.name : member.type;
  // What is made of these interfaces is readonly; here the word would be one more thing to read, for each option.
  const text = `  ${printName(member.name)}: ${type};`;
  return [...comment.map((line) => ({ text: line })), member.place === undefined ? { text } : { text, at: { column: 2, place: member.place } }];
}

/** Puts `tree` and what is below it into files of a bounded size. */
function divide(tree: OptionInterface, file: string, chunks: ReadonlyMap<OptionInterface, Chunk>, files: Map<string, OptionInterface[]>): void {
  const sizeOf = (inner: OptionInterface): number => chunks.get(inner)!.size;
  if (sizeOf(tree) <= FILE_SIZE) return putWhole(tree, file, files);
  put(tree, file, files);
  const folder = file.replace(/\.d\.ts$/, "");
  let together: OptionInterface[] = [];
  let size = 0;
  const flush = (): void => {
    if (together.length === 0) return;
    const shared = freeName(folder, together[0]!, files);
    for (const inner of together) putWhole(inner, shared, files);
    together = [];
    size = 0;
  };
  for (const inner of below(tree)) {
    if (sizeOf(inner) > FILE_SIZE) {
      divide(inner, freeName(folder, inner, files), chunks, files);
      continue;
    }
    if (size + sizeOf(inner) > FILE_SIZE) flush();
    together.push(inner);
    size += sizeOf(inner);
  }
  flush();
}

function putWhole(tree: OptionInterface, file: string, files: Map<string, OptionInterface[]>): void {
  if (!put(tree, file, files)) return;
  for (const inner of below(tree)) putWhole(inner, file, files);
}

function put(tree: OptionInterface, file: string, files: Map<string, OptionInterface[]>): boolean {
  const present = files.get(file);
  if (present === undefined) files.set(file, [tree]);
  else if (present.includes(tree)) return false;
  else present.push(tree);
  return true;
}

function freeName(folder: string, first: OptionInterface, files: ReadonlyMap<string, unknown>): string {
  const base = (first.path.at(-1) ?? "options").replaceAll(/[^A-Za-z0-9_-]+/g, "_");
  let name = `${folder}/${base}.d.ts`;
  for (let i = 2; files.has(name); i++) name = `${folder}/${base}-${i}.d.ts`;
  return name;
}

function writeFile(
  file: string,
  interfaces: readonly OptionInterface[],
  homes: ReadonlyMap<string, string>,
  chunks: ReadonlyMap<OptionInterface, Chunk>,
  { declarationOf }: FormatInit,
  texts: Map<string, string>,
): void {
  const own = new Set(interfaces.map(({ name }) => name));
  const imports = new Map<string, Set<string>>();
  const use = (from: string, name: string): void => {
    const names = imports.get(from);
    if (names === undefined) imports.set(from, new Set([name]));
    else names.add(name);
  };
  for (const { members } of interfaces) {
    for (const member of members) {
      for (const used of member.imports) use(declarationOf(used.file), formatImport(used));
      const inner = member.kind === "branch" ? [member.inner] : member.inner;
      for (const { name } of inner) if (!own.has(name)) use(homes.get(name)!, name);
    }
  }
  const header = [...imports].map(([from, names]) => `import type { ${[...names].sort(compareUtf8).join(", ")} } from "${specifier(file, from)}";`);
  const lines: Line[] = [...header.sort(compareUtf8).map((text) => ({ text })), ...interfaces.flatMap((tree) => chunks.get(tree)!.lines)];
  texts.set(file, `${lines.map(({ text }) => text).join("\n")}\n//# sourceMappingURL=${basename(file)}.map\n`);
  texts.set(`${file}.map`, formatMap(file, lines));
}

function formatImport({ name, local }: ImportedName): string {
  return name === local ? name : `${name} as ${local}`;
}

function specifier(from: string, to: string): string {
  const path = relative(dirname(from), to);
  return path.startsWith(".") ? path : `./${path}`;
}

function formatMap(file: string, lines: readonly Line[]): string {
  const sources: string[] = [];
  const indices = new Map<string, number>();
  const mappings = lines.map(({ at }): SourceMapSegment[] => {
    if (at === undefined) return [];
    const { place } = at;
    let index = indices.get(place.file);
    if (index === undefined) {
      index = sources.push(relative(dirname(file), place.file)) - 1;
      indices.set(place.file, index);
    }
    return [[at.column, index, place.line, place.column]];
  });
  const map = new TraceMap({ version: 3, file: basename(file), names: [], sources, mappings });
  return JSON.stringify({ ...encodedMap(map), sourceRoot: undefined, sourcesContent: undefined });
}
