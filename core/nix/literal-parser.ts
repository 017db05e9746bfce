import { toByteString, type ByteString } from "../util/bytes.ts";
import { canonicalPath } from "./canonical-path.ts";
import { NixError } from "./nix-error.ts";
import { stripIndentation, unescapeString, type IndentedPart } from "./string-text.ts";
import type { Expression } from "./syntax.ts";
import { Token } from "./token.ts";
import { TokenReader } from "./token-reader.ts";

/** `literal`: text that stood there, and not an interpolation. */
export type Part = { readonly pos: number; readonly value: Expression; readonly literal?: boolean };

/** Strings and paths: what their tokens mean. */
export abstract class LiteralParser extends TokenReader {
  protected abstract expression(): Expression;

  protected pathLiteral(literal: ByteString, isHome: boolean, pos: number): ByteString {
    const { settings, home, basePath } = this.options;
    const advice = `path literals are not portable. Consider replacing path literal '${literal}' by a string, relative path, or parameter`;
    if (isHome) {
      // Without a place, as there.
      if (home === undefined) throw new NixError("restricted", `the path '${literal}' can not be resolved in pure mode`);
      this.lint("lint-absolute-path-literals", settings?.lintAbsolutePathLiterals, () => `home ${advice}`, pos);
      return home + literal.slice(1);
    }
    if (literal.startsWith("/")) this.lint("lint-absolute-path-literals", settings?.lintAbsolutePathLiterals, () => `absolute ${advice}`, pos);
    else if (!literal.startsWith(".")) {
      this.lint("lint-short-path-literals", settings?.lintShortPathLiterals, () => `relative path literal '${literal}' should be prefixed with '.' for clarity: './${literal}'`, pos);
    }
    const path = canonicalPath(literal.startsWith("/") ? literal : `${basePath}/${literal}`);
    // What follows in an interpolated path starts after this slash.
    return literal.length > 1 && literal.endsWith("/") ? `${path}/` : path;
  }

  /** Texts and interpolations up to what ends the string or path, which is left to the caller. */
  protected stringParts(): Part[] {
    const parts: Part[] = [];
    for (;;) {
      const kind = this.kinds[this.at];
      const pos = this.starts[this.at]!;
      if (kind === Token.string) {
        parts.push({ pos, value: { kind: "string", value: this.unescape(this.slice(this.at), pos) }, literal: true });
        this.at++;
      } else if (kind === Token.dollarBrace) {
        this.at++;
        const value = this.expression();
        this.expect(125);
        parts.push({ pos, value });
      } else return parts;
    }
  }

  protected unescape(raw: ByteString, pos: number): ByteString {
    return this.withoutNul(unescapeString(raw), pos);
  }

  protected withoutNul(text: ByteString, pos: number): ByteString {
    if (text.includes("\0")) {
      throw this.fail(`input string '${text.replaceAll("\0", toByteString("␀"))}' cannot be represented as Nix string because it contains null bytes`, pos);
    }
    return text;
  }

  protected indentedString(pos: number): Expression {
    const parts: IndentedPart<Expression>[] = [];
    for (;;) {
      const index = this.at;
      const kind = this.kinds[index];
      const start = this.starts[index]!;
      if (kind === Token.indentedString) {
        this.at++;
        const raw = this.slice(index);
        if (raw === "$" || raw === "''$") parts.push({ kind: "text", pos: start, text: "$", indentation: false });
        else if (raw === "'''") parts.push({ kind: "text", pos: start, text: "''", indentation: false });
        else if (raw === "'") parts.push({ kind: "text", pos: start, text: "'", indentation: false });
        else if (raw.startsWith("''\\")) parts.push({ kind: "text", pos: start, text: this.unescape(raw.slice(2), start), indentation: false });
        else parts.push({ kind: "text", pos: start, text: this.withoutNul(raw, start), indentation: true });
      } else if (kind === Token.dollarBrace) {
        this.at++;
        const value = this.expression();
        this.expect(125);
        parts.push({ kind: "expression", pos: start, value });
      } else if (kind === Token.indentedClose) {
        this.at++;
        return indentedStringOf(pos, stripIndentation(parts));
      } else throw this.unexpected();
    }
  }
}

export function stringOf(pos: number, parts: readonly Part[]): Expression {
  if (parts.length === 0) return { kind: "string", value: "" };
  // `"${"a"}"` stays a concatenation.
  if (parts.length === 1 && parts[0]!.literal === true) return parts[0]!.value;
  return { kind: "concat", pos, forceString: true, parts };
}

function indentedStringOf(pos: number, parts: readonly IndentedPart<Expression>[]): Expression {
  const [only] = parts;
  if (only === undefined) return { kind: "string", value: "" };
  if (parts.length === 1 && only.kind === "text") return { kind: "string", value: only.text };
  return { kind: "concat", pos, forceString: true, parts: parts.map((part) => ({ pos: part.pos, value: part.kind === "text" ? { kind: "string", value: part.text } : part.value })) };
}
