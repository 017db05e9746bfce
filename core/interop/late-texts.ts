import type { Evaluator } from "../nix/evaluator.ts";
import { NixError } from "../nix/nix-error.ts";
import { NO_POSITION, type Slot } from "../nix/value.ts";
import type { EvaluationRegistry } from "../package/evaluation-registry.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import type { Oracle } from "./late-views.ts";

/** What a text stands for in one that is made before it is known. */
export type LateText = { readonly slot: Slot; readonly before: Oracle; /** The line of TypeScript that put it there. */ readonly asker: Error };

const TOKEN_END = "-late";
const HASH_LENGTH = 32;

/**
 * Texts of TypeScript on their way into the language: store paths in them become their context, tokens in them what they
 * stand for.
 */
export class LateTexts {
  readonly #evaluator: Evaluator;
  readonly #registry: EvaluationRegistry;
  readonly #askedBy: (error: NixError, asker: Error) => void;
  /** By the hash in them. */
  readonly #tokens = new Map<string, LateText>();

  /** @param askedBy remembers which line of TypeScript stands behind an error */
  constructor(evaluator: Evaluator, registry: EvaluationRegistry, askedBy: (error: NixError, asker: Error) => void) {
    this.#evaluator = evaluator;
    this.#askedBy = askedBy;
    this.#registry = registry;
  }

  /** Looks like a store path, so that code that puts paths together works; where it gets past this bridge it is refused as one that was never issued. */
  token(slot: Slot, before: Oracle): string {
    const hash = String(this.#tokens.size).padStart(HASH_LENGTH, "z");
    this.#tokens.set(hash, { slot, before, asker: new Error("asked") });
    return `${this.#registry.storeDir}/${hash}${TOKEN_END}`;
  }

  hasToken(text: string): boolean {
    return this.#tokens.size > 0 && text.includes(`${this.#registry.storeDir}/z`);
  }

  toNix(text: string): Slot {
    const bytes = toByteString(text);
    if (!bytes.includes(`${this.#registry.storeDir}/`)) return bytes;
    if (this.hasToken(bytes)) return this.#evaluator.lazy(() => this.#evaluator.force(this.#resolve(bytes, ({ slot }) => slot)));
    const context = new Set<ByteString>();
    this.#scan(bytes, context);
    return this.#evaluator.makeString(bytes, context);
  }

  /** The text as it would have been in the round before. */
  toNixBefore(text: string): Slot {
    const e = this.#evaluator;
    const unknown = (): Slot =>
      e.lazy(() => {
        throw e.error("eval", "a value that is not known yet");
      });
    return e.lazy(() => e.force(this.#resolve(toByteString(text), ({ before }) => before?.() ?? unknown())));
  }

  #resolve(bytes: ByteString, select: (token: LateText) => Slot): Slot {
    const e = this.#evaluator;
    const context = new Set<ByteString>();
    const prefix = `${this.#registry.storeDir}/`;
    let rest = "";
    let resolved = "";
    for (let at = 0; at < bytes.length; ) {
      const found = bytes.indexOf(`${prefix}z`, at);
      const hash = found < 0 ? "" : bytes.slice(found + prefix.length, found + prefix.length + HASH_LENGTH);
      const token = this.#tokens.get(hash);
      const slot = token === undefined ? undefined : select(token);
      const end = found < 0 ? bytes.length : found + (slot === undefined ? prefix.length : prefix.length + HASH_LENGTH);
      const plain = bytes.slice(at, slot === undefined ? end : found);
      rest += plain;
      resolved += plain;
      if (token !== undefined && slot !== undefined) {
        resolved += this.#write(slot, context, token.asker);
        at = end + TOKEN_END.length;
      } else at = end;
    }
    this.#scan(rest, context);
    return e.makeString(resolved, context);
  }

  /** A value as a template of TypeScript writes it. */
  #write(slot: Slot, context: Set<ByteString>, asker: Error): ByteString {
    const e = this.#evaluator;
    try {
      const value = e.force(slot);
      const isPlain = value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "bigint";
      return isPlain ? String(value) : e.coerceToString(slot, NO_POSITION, context, "while a value is put into a text of TypeScript", false, true);
    } catch (error) {
      if (error instanceof NixError) this.#askedBy(error, asker);
      throw error;
    }
  }

  #scan(bytes: ByteString, context: Set<ByteString>): void {
    this.#registry.scan(bytes, { derivation: "a Nix expression", attribute: "a string" }, (issued) => {
      context.add(issued.kind === "output" ? `!${issued.output}!${issued.derivation}` : issued.kind === "derivation" ? `=${issued.path}` : issued.path);
    });
  }
}
