import type { OptionNode } from "./option-node.ts";
import { isPlainObject } from "./plain-object.ts";

/** What of an evaluation a view reads. */
export type Readable = {
  readonly takesFree: boolean;
  read(node: OptionNode): unknown;
  readFree(path: readonly string[]): { readonly value: unknown } | undefined;
  /** The error for a name that no option has. */
  unknown(path: readonly string[], siblings: readonly string[]): Error;
};

// Asked for by the language and by printers of whatever object they meet; no option.
const PROBES: ReadonlySet<string> = new Set(["toJSON", "then", "constructor"]);

/**
 * A set of options as modules read it: each property is computed when it is read, and the read is noted. To
 * change it is an error.
 */
export function createConfigView(evaluation: Readable, node: OptionNode): object {
  return new Proxy({}, new ConfigView(evaluation, node));
}

class ConfigView implements ProxyHandler<object> {
  readonly #evaluation: Readable;
  readonly #node: OptionNode;
  #inner: Map<string, object> | undefined;

  constructor(evaluation: Readable, node: OptionNode) {
    this.#evaluation = evaluation;
    this.#node = node;
  }

  get(_target: object, key: string | symbol): unknown {
    if (typeof key === "symbol") return undefined;
    const child = this.#node.children?.get(key);
    if (child !== undefined) {
      if (child.declarations !== undefined) return this.#evaluation.read(child);
      let inner = this.#inner?.get(key);
      if (inner === undefined) {
        inner = createConfigView(this.#evaluation, child);
        (this.#inner ??= new Map<string, object>()).set(key, inner);
      }
      return inner;
    }
    if (this.#evaluation.takesFree) return this.#evaluation.readFree([...this.#node.path, key])?.value;
    if (PROBES.has(key)) return undefined;
    throw this.#evaluation.unknown([...this.#node.path, key], this.#names());
  }

  has(_target: object, key: string | symbol): boolean {
    if (typeof key === "symbol") return false;
    return this.#node.children?.has(key) === true || this.#evaluation.readFree([...this.#node.path, key]) !== undefined;
  }

  ownKeys(): string[] {
    const names = this.#names();
    const free = this.#evaluation.readFree(this.#node.path)?.value;
    if (!isPlainObject(free)) return names;
    return [...new Set([...names, ...Object.keys(free)])];
  }

  getOwnPropertyDescriptor(_target: object, key: string | symbol): PropertyDescriptor | undefined {
    if (!this.has(_target, key)) return undefined;
    return { configurable: true, enumerable: true, get: () => this.get(_target, key) };
  }

  set(_target: object, key: string | symbol): never {
    throw readOnly(key);
  }

  defineProperty(_target: object, key: string | symbol): never {
    throw readOnly(key);
  }

  deleteProperty(_target: object, key: string | symbol): never {
    throw readOnly(key);
  }

  // What is frozen would have to say so of each property.
  preventExtensions(): boolean {
    return false;
  }

  setPrototypeOf(): never {
    throw readOnly("__proto__");
  }

  #names(): string[] {
    return [...(this.#node.children?.keys() ?? [])].filter((name) => this.#node.parent !== undefined || name !== "_module");
  }
}

function readOnly(key: string | symbol): TypeError {
  return new TypeError(`Cannot assign to read only property '${String(key)}' of config`);
}
