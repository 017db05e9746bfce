import type { ByteString } from "../util/bytes.ts";
import type { Tokens } from "./lexer.ts";
import { formatNixErrorBytes, NixError } from "./nix-error.ts";
import type { LintLevel, NixSettings } from "./nix-settings.ts";
import { positionAt, type NixSource } from "./source.ts";
import { findSyntaxError } from "./syntax-error.ts";
import { Token } from "./token.ts";

export type ParseOptions = {
  /** What relative path literals start from. */
  readonly basePath: ByteString;
  /** What `~` stands for; undefined where evaluation may not know it. */
  readonly home?: ByteString | undefined;
  readonly settings?: NixSettings | undefined;
  /** Takes each warning, as the reference prints it. */
  readonly warn?: ((warning: string) => void) | undefined;
};

/** Where a parser stands in its tokens, and how it says that they are wrong. */
export class TokenReader {
  protected readonly source: NixSource;
  protected readonly text: ByteString;
  protected readonly tokens: Tokens;
  protected readonly options: ParseOptions;
  protected kinds: Uint16Array;
  protected starts: Int32Array;
  protected at = 0;
  readonly symbols = new Set<ByteString>();

  constructor(source: NixSource, tokens: Tokens, options: ParseOptions) {
    this.source = source;
    this.text = source.text;
    this.tokens = tokens;
    this.kinds = tokens.kinds;
    this.starts = tokens.starts;
    this.options = options;
  }

  protected fail(message: string, pos: number): NixError {
    return new NixError("parse", message, positionAt(this.source, pos));
  }

  /** Refuses a discouraged construct or warns of it, as the setting says. */
  protected lint(setting: string, level: LintLevel | undefined, message: (fatal: boolean) => string, pos: number): void {
    if (level === undefined || level === "ignore") return;
    const error = this.fail(`${message(level === "fatal")} (${setting})`, pos);
    if (level === "fatal") throw error;
    this.options.warn?.(formatNixErrorBytes(error, { showTrace: false, prefix: "warning" }));
  }

  /** The mistake at the present token: of the lexer, or of the grammar, as the reference's parser finds it. */
  protected unexpected(): NixError {
    const tokens = this.tokens;
    const found = this.kinds[this.at] === Token.error ? undefined : findSyntaxError(tokens);
    if (found !== undefined) return this.fail(found.message, this.starts[found.token]!);
    if (tokens.error === undefined) throw new TypeError(`the grammar has no mistake at token ${this.at}`);
    return this.fail(tokens.error.message, tokens.error.pos);
  }

  protected expect(kind: number): void {
    if (this.kinds[this.at] !== kind) throw this.unexpected();
    this.at++;
  }

  protected slice(index: number): ByteString {
    return this.text.slice(this.starts[index], this.tokens.ends[index]);
  }

  protected symbol(name: ByteString): ByteString {
    this.symbols.add(name);
    return name;
  }
}
