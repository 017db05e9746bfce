import type { ByteString } from "../util/bytes.ts";
import { formatAttributePath } from "./format-syntax.ts";
import { LiteralParser, stringOf } from "./literal-parser.ts";
import type { NixError } from "./nix-error.ts";
import { positionAt } from "./source.ts";
import type { AttributeDefinition, AttributeName, AttributeSet, Expression } from "./syntax.ts";
import { Token } from "./token.ts";

/** Names, and bindings of sets and `let`: nested paths are merged where they are read. */
export abstract class AttributeParser extends LiteralParser {
  protected attributeName(): AttributeName {
    const index = this.at;
    switch (this.kinds[index]) {
      case Token.identifier:
      case Token.or:
        this.at++;
        return { kind: "static", name: this.symbol(this.slice(index)) };
      case 34: {
        this.at++;
        const parts = this.stringParts();
        this.expect(34);
        return this.nameOf(stringOf(parts[0]?.pos ?? 0, parts));
      }
      case Token.dollarBrace: {
        this.at++;
        const expression = this.expression();
        this.expect(125);
        return this.nameOf(expression);
      }
      default:
        throw this.unexpected();
    }
  }

  protected nameOf(expression: Expression): AttributeName {
    return expression.kind === "string" ? { kind: "static", name: this.symbol(expression.value) } : { kind: "dynamic", expression };
  }

  protected attributePath(): AttributeName[] {
    const path = [this.attributeName()];
    while (this.kinds[this.at] === 46) {
      this.at++;
      path.push(this.attributeName());
    }
    return path;
  }

  /** Bindings up to, not including, `end`. */
  protected bindings(setPos: number, end: number): AttributeSet {
    const set: AttributeSet = { kind: "attrs", pos: setPos, recursive: false, attributes: new Map(), dynamic: [], inheritFrom: [] };
    for (;;) {
      const kind = this.kinds[this.at];
      if (kind === end) return set;
      if (kind === Token.inherit) {
        this.at++;
        this.inherit(set);
        continue;
      }
      if (kind !== Token.identifier && kind !== Token.or && kind !== 34 && kind !== Token.dollarBrace) throw this.unexpected();
      const pos = this.starts[this.at]!;
      const path = this.attributePath();
      this.expect(61);
      const value = this.expression();
      this.expect(59);
      this.addAttribute(set, path, pos, value);
    }
  }

  protected inherit(set: AttributeSet): void {
    let from = -1;
    let fromPos = 0;
    if (this.kinds[this.at] === 40) {
      this.at++;
      fromPos = this.starts[this.at]!;
      const expression = this.expression();
      this.expect(41);
      from = set.inheritFrom.push(expression) - 1;
    }
    const attributes: [ByteString, number][] = [];
    while (this.kinds[this.at] !== 59) {
      const pos = this.starts[this.at]!;
      const kind = this.kinds[this.at];
      if (kind !== Token.identifier && kind !== Token.or && kind !== 34 && kind !== Token.dollarBrace) throw this.unexpected();
      const name = this.attributeName();
      if (name.kind === "dynamic") throw this.fail("dynamic attributes not allowed in inherit", pos);
      attributes.push([name.name, pos]);
    }
    this.at++;
    for (const [name, pos] of attributes) {
      const before = set.attributes.get(name);
      if (before !== undefined) throw this.duplicate([{ kind: "static", name }], pos, before.pos);
      const value: Expression =
        from < 0 ? { kind: "var", pos, name } : { kind: "select", pos, of: { kind: "inherit-from", pos: fromPos }, path: [{ kind: "static", name }], default: undefined };
      set.attributes.set(name, { kind: from < 0 ? "inherited" : "inherited-from", value, pos, from });
    }
  }

  protected duplicate(path: readonly AttributeName[], pos: number, before: number): NixError {
    const { file, line, column } = positionAt(this.source, before);
    return this.fail(`attribute '${formatAttributePath(path)}' already defined at ${file}:${line}:${column}`, pos);
  }

  protected addAttribute(root: AttributeSet, path: readonly AttributeName[], pos: number, value: Expression): void {
    let set = root;
    for (let i = 0; i < path.length - 1; i++) {
      const name = path[i]!;
      let nested: AttributeSet;
      if (name.kind === "static") {
        const existing = set.attributes.get(name.name);
        if (existing !== undefined) {
          if (existing.value.kind !== "attrs") throw this.duplicate(path.slice(0, i + 1), pos, existing.pos);
          nested = existing.value;
        } else {
          nested = emptySet();
          set.attributes.set(name.name, { kind: "plain", value: nested, pos, from: -1 });
        }
      } else {
        nested = emptySet();
        set.dynamic.push({ name: name.expression, value: nested, pos });
      }
      set = nested;
    }
    const last = path.at(-1)!;
    if (last.kind === "dynamic") set.dynamic.push({ name: last.expression, value, pos });
    else this.define(set, path, last.name, { kind: "plain", value, pos, from: -1 });
  }

  /** Adds one attribute, merging two sets that are written under the same name. */
  protected define(set: AttributeSet, path: readonly AttributeName[], name: ByteString, definition: AttributeDefinition): void {
    const existing = set.attributes.get(name);
    if (existing === undefined) {
      set.attributes.set(name, definition);
      for (let e: Expression = definition.value; e.kind === "lambda"; e = e.body) e.name = name;
      return;
    }
    const into = existing.value;
    const added = definition.value;
    if (into.kind !== "attrs" || added.kind !== "attrs") throw this.duplicate(path, definition.pos, existing.pos);
    const shift = into.inheritFrom.length;
    for (const [inner, innerDefinition] of added.attributes) {
      if (innerDefinition.kind === "inherited-from") innerDefinition.from += shift;
      this.define(into, [...path, { kind: "static", name: inner }], inner, innerDefinition);
    }
    into.dynamic.push(...added.dynamic);
    into.inheritFrom.push(...added.inheritFrom);
  }
}

/** One that only a path of names speaks of: it stands nowhere itself. */
function emptySet(): AttributeSet {
  return { kind: "attrs", pos: -1, recursive: false, attributes: new Map(), dynamic: [], inheritFrom: [] };
}
