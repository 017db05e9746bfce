import { fromByteString } from "../util/bytes.ts";
import { childrenOf, type ConcreteComment, type ConcreteExpression, type ConcreteFile } from "./concrete-syntax.ts";
import { hard, type Layout } from "./layout.ts";

/** Anything that comments can belong to: a binding, an element of a list, an argument. */
type Item = { readonly start: number; readonly end: number };

/** What stands around one item. */
export type ItemComments = { readonly leading: ConcreteComment[]; trailing: ConcreteComment | undefined; emptyBefore: boolean };

/**
 * The comments of a file by what they belong to: those on lines before an item and the one behind it on its last line.
 * A comment inside an item that is no item's own goes before the innermost one.
 */
export class CommentTable {
  readonly #file: ConcreteFile;
  readonly #items = new Map<Item, ItemComments>();
  readonly #dangling = new Map<Item, ConcreteComment[]>();
  /** Before and after the whole expression. */
  readonly before: ConcreteComment[] = [];
  readonly after: ConcreteComment[] = [];

  constructor(file: ConcreteFile) {
    this.#file = file;
    const claimed = new Set<ConcreteComment>();
    const { start, end } = file.expression;
    for (const comment of file.comments) {
      if (comment.end <= start || comment.start >= end) {
        claimed.add(comment);
        (comment.start < start ? this.before : this.after).push(comment);
      }
    }
    this.#visit(file.expression, claimed);
    for (const comment of file.comments) if (!claimed.has(comment)) this.#giveToInnermost(comment);
  }

  of(item: Item): ItemComments {
    return this.#items.get(item) ?? { leading: [], trailing: undefined, emptyBefore: false };
  }

  /** What stands in braces or brackets behind the last item. */
  dangling(container: Item): readonly ConcreteComment[] {
    return this.#dangling.get(container) ?? [];
  }

  #visit(e: ConcreteExpression, claimed: Set<ConcreteComment>): void {
    if (e.kind === "attributes") this.#claim(e, e.bindings, e.start, e.end, claimed);
    else if (e.kind === "list") this.#claim(e, e.elements, e.start, e.end, claimed);
    else if (e.kind === "let") this.#claim(e, e.bindings, e.start, this.#bodyKeyword(e.bindings.at(-1)?.end ?? e.start, e.body.start), claimed);
    else if (e.kind === "lambda" && e.formals !== undefined && e.formals.list.length > 0) this.#claim(e, e.formals.list, e.start, e.formals.list.at(-1)!.end, claimed);
    for (const child of childrenOf(e)) this.#visit(child, claimed);
  }

  /** Where `in` stands: comments behind it are the body's. */
  #bodyKeyword(from: number, to: number): number {
    const text = this.#file.text.slice(from, to).replace(/#[^\n]*|\/\*[^]*?\*\//g, (comment) => " ".repeat(comment.length));
    const at = text.search(/\bin\b/);
    return at < 0 ? to : from + at;
  }

  #claim(container: Item, items: readonly Item[], from: number, to: number, claimed: Set<ConcreteComment>): void {
    const { text, comments } = this.#file;
    let before = from;
    items.forEach((item, index) => {
      const own = this.#own(item);
      const gap = comments.filter((comment) => comment.start >= before && comment.end <= item.start && !claimed.has(comment));
      own.leading.push(...gap);
      for (const comment of gap) claimed.add(comment);
      own.emptyBefore = index > 0 && /\n[ \t]*\r?\n/.test(text.slice(before, gap[0]?.start ?? item.start));
      before = item.end;
      const next = items[index + 1]?.start ?? to;
      const trailing = comments.find((comment) => comment.start >= item.end && comment.end <= next && !/\n/.test(text.slice(item.end, comment.start)));
      // A block comment that something follows on its line is that one's.
      if (trailing !== undefined && !claimed.has(trailing) && /^[ \t]*(?:\r?\n|$|[\]},])/.test(text.slice(trailing.end))) {
        own.trailing = trailing;
        claimed.add(trailing);
        before = trailing.end;
      }
    });
    const rest = comments.filter((comment) => comment.start >= before && comment.end <= to && !claimed.has(comment));
    if (rest.length === 0) return;
    this.#dangling.set(container, rest);
    for (const comment of rest) claimed.add(comment);
  }

  #own(item: Item): ItemComments {
    let own = this.#items.get(item);
    if (own === undefined) this.#items.set(item, (own = { leading: [], trailing: undefined, emptyBefore: false }));
    return own;
  }

  #giveToInnermost(comment: ConcreteComment): void {
    let best: Item | undefined;
    for (const item of this.#items.keys()) if (item.start <= comment.start && comment.end <= item.end && (best === undefined || item.end - item.start < best.end - best.start)) best = item;
    if (best === undefined) this.before.push(comment);
    else this.#own(best).leading.push(comment);
  }
}

/** As TypeScript writes it; `\n` in a block comment becomes lines of their own. */
export function printComment(comment: ConcreteComment): Layout {
  const text = fromByteString(comment.text);
  if (text.startsWith("#")) return `//${text.replace(/^#+/, "")}`.trimEnd();
  const lines = text.split(/\r?\n/).map((one) => one.trim());
  return lines.flatMap((one, index): Layout[] => [...(index === 0 ? [] : [hard]), index > 0 && one.startsWith("*") ? ` ${one}` : index > 0 && one !== "" ? `   ${one}` : one]);
}

/** Each on its line, with a line break behind the last. */
export function printLeading(comments: readonly ConcreteComment[]): Layout[] {
  return comments.flatMap((comment): Layout[] => [printComment(comment), hard]);
}
