import type { ByteString } from "../util/bytes.ts";

/** What a restricted evaluation may see: paths with all below them, and the folders that lead there. */
export class AllowedPaths {
  readonly #prefixes = new Set<ByteString>();
  readonly #ancestors = new Set<ByteString>();

  allow(path: ByteString): void {
    if (this.#prefixes.has(path)) return;
    this.#prefixes.add(path);
    for (let end = path.lastIndexOf("/"); end >= 0; end = end === 0 ? -1 : path.lastIndexOf("/", end - 1)) this.#ancestors.add(end === 0 ? "/" : path.slice(0, end));
  }

  has(path: ByteString): boolean {
    return this.#ancestors.has(path) || this.holds(path);
  }

  /** Whether all below it may be seen as well. */
  holds(path: ByteString): boolean {
    if (this.#prefixes.has(path) || this.#prefixes.has("/")) return true;
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) if (this.#prefixes.has(path.slice(0, end))) return true;
    return false;
  }
}
