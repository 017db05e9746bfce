import type { PinnedOption, PinnedOptions, PinnedType } from "./pinned-tree-expression.ts";
import { comments, propertyName } from "./format-package-types.ts";

/** Longer descriptions are cut: they are read in full in the manual. */
const DESCRIPTION = 700;
/** Prefixes with more options than this have a file of their own. */
const LARGE = 300;

/** Declarations of the options of NixOS or of a home (`whose`): file name → text. `Options` of `options.d.ts` is the whole tree. */
export function formatOptionTypes(options: PinnedOptions, whose = "NixOS'"): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const writer = new Writer();
  const imports: string[] = [];
  const lines = Object.entries(options).map(([name, inner]) => {
    if (!("c" in inner) || count(inner.c) < LARGE) return writer.member(name, inner, 1);
    const type = `Options${imports.length}`;
    const file = `options-${name.replace(/[^A-Za-z0-9]/g, "-")}.d.ts`;
    const own = new Writer();
    const text = own.set(inner.c, 1);
    files.set(file, `${HEAD}${own.namesSystem ? 'import type { Options } from "./options.d.ts";\n\n' : ""}${own.interfaces.join("")}export interface ${type} ${text}\n`);
    imports.push(`import type { ${type} } from "./${file}";\n`);
    return `  readonly ${propertyName(name)}: ${type};\n`;
  });
  files.set("options.d.ts", `${HEAD}${imports.join("")}${writer.interfaces.join("")}\n/** ${whose} options, as the pinned tree declares them. */\nexport interface Options {\n${lines.join("")}}\n`);
  return files;
}

/** What may be defined of an option of this type, in TypeScript, on one line. */
export function formatPinnedType(type: PinnedType): string {
  return new Writer(true).type(type).define;
}

const HEAD = `import type { NixDagEntry, NixFile, NixGvariant, NixosConfigOf, NixosDefinable, NixosDefinitionsOf, NixosOption, NixPackage, NixValue } from "tsos";\n\n`;

function count(options: PinnedOptions): number {
  let sum = 0;
  for (const inner of Object.values(options)) sum += "c" in inner ? count(inner.c) : 1;
  return sum;
}

/** Two types: what reads, and what defines. */
type Pair = { readonly read: string; readonly define: string };

const TEXT: Pair = { read: "string", define: "string" };
const PATH: Pair = { read: "string", define: "string | NixFile | NixPackage" };
const NUMBER: Pair = { read: "number", define: "number" };
const ANY: Pair = { read: "NixValue", define: "NixValue" };
const PACKAGE: Pair = { read: "NixPackage", define: "NixPackage" };

const SIMPLE: Readonly<Record<string, Pair>> = {
  bool: { read: "boolean", define: "boolean" },
  boolByOr: { read: "boolean", define: "boolean" },
  int: NUMBER,
  positiveInt: NUMBER,
  unsignedInt: NUMBER,
  float: NUMBER,
  number: NUMBER,
  numberNonnegative: NUMBER,
  numberPositive: NUMBER,
  str: TEXT,
  singleLineStr: TEXT,
  separatedString: TEXT,
  nonEmptyStr: TEXT,
  lines: TEXT,
  commas: TEXT,
  envVar: TEXT,
  string: TEXT,
  passwdEntry: TEXT,
  path: PATH,
  externalPath: PATH,
  pathInStore: PATH,
  package: PACKAGE,
  shellPackage: PACKAGE,
  kernelParam: TEXT,
  ipAddress: TEXT,
  absolutePath: TEXT,
  yubiKeyId: TEXT,
  "passwdEntry str": TEXT,
  "passwdEntry path": PATH,
  nonzeroInt: NUMBER,
  nonnegativeFloat: NUMBER,
  attrs: both("{ readonly [name: string]: NixValue }"),
  gvariant: { read: "NixValue", define: "NixGvariant" },
  selectorFunction: both("(packages: NixValue) => readonly NixPackage[]"),
  overlayFunction: both("(self: NixValue, super_: NixValue) => object"),
  pkgs: ANY,
};

class Writer {
  readonly interfaces: string[] = [];
  /** An option holds a whole system. */
  namesSystem = false;
  readonly #known = new Map<string, string>();

  readonly #isBrief: boolean;

  /** @param isBrief whether what is inside of submodules is left out */
  constructor(isBrief = false) {
    this.#isBrief = isBrief;
  }

  set(options: PinnedOptions, depth: number): string {
    const indent = "  ".repeat(depth - 1);
    return `{\n${Object.entries(options).map(([name, inner]) => this.member(name, inner, depth)).join("")}${indent}}`;
  }

  member(name: string, inner: PinnedOptions[string], depth: number): string {
    const indent = "  ".repeat(depth);
    if ("c" in inner) return `${indent}readonly ${propertyName(name)}: ${this.set(inner.c, depth + 1)};\n`;
    const { read, define } = inner.o.t === undefined ? ANY : this.type(inner.o.t);
    const type = read === define ? `NixosOption<${read}>` : `NixosOption<${read}, ${define}>`;
    return `${this.#comment(inner.o, indent)}${indent}readonly ${propertyName(name)}: ${type};\n`;
  }

  #comment({ d, p, r }: PinnedOption, indent: string): string {
    const text = d === null || d === undefined ? "" : comments(d.length > DESCRIPTION ? `${d.slice(0, DESCRIPTION).replace(/\s+\S*$/, "")} …` : d);
    const lines = [...text.split("\n").filter((line) => line.trim() !== ""), ...(r === true ? ["Only read."] : []), ...(typeof p === "string" ? [`Declared in \`${p}\`.`] : [])];
    if (lines.length === 0) return "";
    return lines.length === 1 ? `${indent}/** ${lines[0]!} */\n` : `${indent}/**\n${lines.map((line) => `${indent} * ${line.trimEnd()}\n`).join("")}${indent} */\n`;
  }

  type(t: PinnedType): Pair {
    const simple = SIMPLE[t.n];
    if (simple !== undefined) return simple;
    if (t.n === "enum") {
      const values = (t.v ?? []).map((value) => JSON.stringify(value));
      return values.length === 0 ? ANY : both(values.join(" | "));
    }
    if (this.#isBrief && (t.n === "system" || t.n === "Toplevel NixOS config" || t.n === "submodule")) return both("object");
    // That of `containers.NAME.config` is one of a system of its own.
    if (t.n === "system" || t.n === "Toplevel NixOS config") {
      this.namesSystem = true;
      return { read: "NixosConfigOf<Options>", define: "NixosDefinitionsOf<Options> | ((args: NixValue) => object)" };
    }
    if (t.n === "submodule" && t.s !== undefined) return this.#submodule(t.s, t.f === true);
    if (t.n === "nullOr") {
      const inner = t.e === undefined ? ANY : this.type(t.e);
      return { read: union(inner.read, "null"), define: union(inner.define, "null") };
    }
    if (t.n === "listOf" || t.n === "nonEmptyListOf") {
      const inner = t.e === undefined ? ANY : this.type(t.e);
      return { read: `readonly (${inner.read})[]`, define: `readonly (${inner.define})[]` };
    }
    if (t.n === "attrsOf" || t.n === "lazyAttrsOf" || t.n === "loaOf") {
      const inner = t.e === undefined ? ANY : this.type(t.e);
      return { read: `{ readonly [name: string]: ${inner.read} }`, define: `{ readonly [name: string]: NixosDefinable<${inner.define}> }` };
    }
    if (t.n === "dagOf") {
      const inner = t.e === undefined ? ANY : this.type(t.e);
      return { read: `{ readonly [name: string]: NixDagEntry<${inner.read}> }`, define: `{ readonly [name: string]: NixosDefinable<${union(inner.define, `NixDagEntry<${inner.define}>`)}> }` };
    }
    if (t.n === "functionTo" && t.e !== undefined) {
      const inner = this.type(t.e);
      return { read: `(argument: NixValue) => ${inner.read}`, define: `(argument: NixValue) => ${inner.define}` };
    }
    if ((t.n === "either" || t.n === "coercedTo") && t.a !== undefined) {
      const [left, right] = [this.type(t.a[0]!), this.type(t.a[1]!)];
      return { read: t.n === "coercedTo" ? right.read : union(left.read, right.read), define: union(left.define, right.define) };
    }
    if ((t.n === "uniq" || t.n === "unique") && t.e !== undefined) return this.type(t.e);
    if (/^(?:strMatching|string|separatedString|nonEmptyStr)/.test(t.n)) return TEXT;
    if (/^(?:intBetween|unsignedInt|signedInt|numberBetween|port)/i.test(t.n)) return NUMBER;
    return ANY;
  }

  // The same options stand in many places: they get one name.
  #submodule(options: PinnedOptions, isOpen: boolean): Pair {
    const text = this.set(options, 1);
    let name = this.#known.get(text);
    if (name === undefined) {
      name = `Sub${this.#known.size}`;
      this.#known.set(text, name);
      this.interfaces.push(`interface ${name} ${text}\n`);
    }
    const more = isOpen ? " & { readonly [name: string]: NixValue }" : "";
    return { read: `NixosConfigOf<${name}>${more}`, define: `NixosDefinitionsOf<${name}>${more} | ((args: NixValue) => object)` };
  }
}

function both(type: string): Pair {
  return { read: type, define: type };
}

function union(a: string, b: string): string {
  // A function's type would swallow what follows it.
  const part = (type: string): string => (/^\([a-z_]+: /.test(type) ? `(${type})` : type);
  return a === "NixValue" || b === "NixValue" ? "NixValue" : a === b ? a : `${part(a)} | ${part(b)}`;
}
