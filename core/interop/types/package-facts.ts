import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseNix } from "../../nix/parse.ts";
import type { AttributeSet, Expression } from "../../nix/syntax.ts";
import { fromByteString, toByteString } from "../../util/bytes.ts";
import { TsosError } from "../../error/tsos-error.ts";

/** What the files of nixpkgs say of a name, without evaluating them. */
export type PackageFacts = {
  /** `alias`: another name for something; `broken`: reading it is an error; `unknown`: a function, a set, or a package. */
  readonly kind: "package" | "alias" | "broken" | "unknown";
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  /** In the tree. */
  readonly file?: string | undefined;
  readonly of?: string | undefined;
};

/** Reads `pkgs/by-name`, and what the large sets of packages call of other files. */
export function readPackageFacts(tree: string): ReadonlyMap<string, PackageFacts> {
  const facts = new Map<string, PackageFacts>();
  const byName = join(tree, "pkgs/by-name");
  for (const shard of existsSync(byName) ? readdirSync(byName) : []) {
    const folder = join(byName, shard);
    if (!/^[a-z0-9_-]{1,2}$/i.test(shard)) continue;
    for (const name of readdirSync(folder)) {
      const file = join(folder, name, "package.nix");
      if (existsSync(file)) facts.set(name, factsOfFile(tree, file));
    }
  }
  const all = join(tree, "pkgs/top-level/all-packages.nix");
  for (const [name, value] of definitionsOf(all)) facts.set(name, factsOfDefinition(tree, all, value, facts.get(name)));
  for (const [name, value] of definitionsOf(join(tree, "pkgs/top-level/aliases.nix"))) {
    if (!facts.has(name)) facts.set(name, aliasOf(value));
  }
  return facts;
}

/** The attributes that the function in a file gives, whatever it wraps them in. */
function definitionsOf(file: string): ReadonlyMap<string, Expression> {
  const found = new Map<string, Expression>();
  const parsed = parseFile(file);
  const visit = (e: Expression): void => {
    switch (e.kind) {
      case "lambda":
      case "let":
      case "with":
      case "assert":
        return visit(e.body);
      case "binary":
        visit(e.left);
        return visit(e.right);
      case "call":
        return e.arguments.forEach(visit);
      case "attrs":
        for (const [name, { value }] of e.attributes) if (!found.has(name)) found.set(fromByteString(name), value);
        return;
      default:
    }
  };
  if (parsed !== undefined) visit(parsed);
  return found;
}

function aliasOf(value: Expression): PackageFacts {
  if (value.kind === "call" && value.function.kind === "var") {
    const { name } = value.function;
    if (name === "throw" || name === "abort") return { kind: "broken" };
    // `warnAlias "…" target` and its like.
    const last = value.arguments.at(-1);
    return { kind: "alias", of: last === undefined ? undefined : nameOf(last) };
  }
  return { kind: "alias", of: nameOf(value) };
}

function nameOf(value: Expression): string | undefined {
  if (value.kind === "var") return fromByteString(value.name);
  if (value.kind !== "select") return undefined;
  const of = nameOf(value.of);
  const path = value.path.map((part) => (part.kind === "static" ? fromByteString(part.name) : undefined));
  return of === undefined || path.includes(undefined) ? undefined : [of, ...path].join(".");
}

function factsOfDefinition(tree: string, from: string, value: Expression, known: PackageFacts | undefined): PackageFacts {
  const file = calledFile(value, from);
  if (file !== undefined) return factsOfFile(tree, file);
  // `x = callPackage` of by-name with other arguments, or an override of it.
  return known ?? { kind: "unknown" };
}

/** The file of `callPackage ../x/y.nix { }` and its like. */
function calledFile(value: Expression, from: string): string | undefined {
  let at: Expression = value;
  for (let depth = 0; depth < 4; depth++) {
    if (at.kind !== "call") return undefined;
    const path = at.arguments.find((one) => one.kind === "path");
    const called: string | undefined = nameOf(at.function);
    if (path?.kind === "path" && called !== undefined && /(?:^|\.)callPackage$/.test(called)) {
      const named = resolve(dirname(from), fromByteString(path.value));
      return named.endsWith(".nix") ? named : join(named, "default.nix");
    }
    const inner: Expression | undefined = at.arguments.find((one) => one.kind === "call");
    if (inner === undefined) return undefined;
    at = inner;
  }
  return undefined;
}

function factsOfFile(tree: string, file: string): PackageFacts {
  const parsed = parseFile(file);
  if (parsed === undefined) return { kind: "unknown" };
  const texts = new Map<string, string>();
  let description: string | undefined;
  let hasMeta = false;
  let lambdas = 0;
  const text = (e: Expression | undefined): string | undefined => (e?.kind === "string" ? fromByteString(e.value) : undefined);
  const readSet = (set: AttributeSet): void => {
    for (const [name, { value, kind }] of set.attributes) {
      if (kind !== "plain") continue;
      if (name === "version" || name === "pname" || name === "name") {
        const literal = text(value);
        if (literal !== undefined && !texts.has(name)) texts.set(name, literal);
      }
      if (name === "meta" && value.kind === "attrs") {
        hasMeta = true;
        description ??= text(value.attributes.get("description")?.value);
      }
      visit(value);
    }
  };
  const visit = (e: Expression): void => {
    switch (e.kind) {
      case "attrs":
        return readSet(e);
      case "let":
        readSet(e.attributes);
        return visit(e.body);
      case "lambda":
        return visit(e.body);
      case "with":
      case "assert":
        return visit(e.body);
      case "call":
        return e.arguments.forEach(visit);
      case "binary":
        visit(e.left);
        return visit(e.right);
      case "if":
        visit(e.then);
        return visit(e.else);
      default:
    }
  };
  visit(parsed);
  for (let at = parsed; ; ) {
    if (at.kind === "lambda") {
      lambdas++;
      at = at.body;
    } else if (at.kind === "let" || at.kind === "with" || at.kind === "assert") at = at.body;
    else break;
  }
  const isPackage = lambdas === 1 && (hasMeta || texts.has("pname"));
  return { kind: isPackage ? "package" : "unknown", version: isPackage ? texts.get("version") : undefined, description, file: relative(tree, file) };
}

function parseFile(file: string): Expression | undefined {
  try {
    return parseNix(readFileSync(file, "latin1"), toByteString(file), { basePath: toByteString(dirname(file)), home: undefined, warn: () => undefined }).expression;
  } catch (error) {
    // What cannot be parsed is told by who evaluates it.
    if (error instanceof TsosError || (error instanceof Error && "code" in error)) return undefined;
    throw error;
  }
}
