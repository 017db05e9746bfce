import { TsosError } from "../error/tsos-error.ts";
import { DEFAULT_STORE_DIR, type StorePath } from "../store-path/store-path.ts";
import type { Derivation } from "./derivation.ts";
import type { SharedText } from "./format-derivation.ts";
import { hashDerivationModulo, type HashModulo } from "./hash-derivation-modulo.ts";

/**
 * The hashes of derivations that others use as inputs, each computed once. `getDerivation` reads one that was
 * not added; it may be left out when all are added before their users.
 */
export class HashModuloCache {
  readonly #hashes = new Map<StorePath, HashModulo>();
  readonly #getDerivation: (path: StorePath) => Derivation;
  readonly #storeDir: string;

  constructor(options: { readonly getDerivation?: ((path: StorePath) => Derivation) | undefined; readonly storeDir?: string | undefined } = {}) {
    this.#getDerivation = options.getDerivation ?? failToFind;
    this.#storeDir = options.storeDir ?? DEFAULT_STORE_DIR;
  }

  /** Remembers a derivation's hash; those of its inputs must be known or readable. */
  add(path: StorePath, derivation: Derivation, shared?: SharedText): HashModulo {
    const hash = hashDerivationModulo(derivation, this.get, { maskOutputs: false, storeDir: this.#storeDir, shared });
    this.#hashes.set(path, hash);
    return hash;
  }

  has(path: StorePath): boolean {
    return this.#hashes.has(path);
  }

  /** Reads what is missing below `path`, without recursion: a chain of derivations may be longer than the stack. */
  readonly get = (path: StorePath): HashModulo => {
    const known = this.#hashes.get(path);
    if (known !== undefined) return known;
    const stack: { readonly path: StorePath; readonly derivation: Derivation; readonly inputs: Iterator<StorePath> }[] = [];
    const open = new Set<StorePath>();
    const enter = (next: StorePath): void => {
      if (open.has(next)) {
        throw new TsosError({ code: "derivation.cycle", message: `derivation "${next}" is an input of itself`, data: { derivation: next } });
      }
      const derivation = this.#getDerivation(next);
      open.add(next);
      // The inputs of a fixed output do not count, so nothing below it has to be read.
      const inputs = isFixed(derivation) ? [] : derivation.inputDerivations.keys();
      stack.push({ path: next, derivation, inputs: inputs[Symbol.iterator]() });
    };
    enter(path);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.inputs.next();
      if (input.done === true) {
        this.add(top.path, top.derivation);
        open.delete(top.path);
        stack.pop();
      } else if (!this.#hashes.has(input.value)) {
        enter(input.value);
      }
    }
    return this.#hashes.get(path)!;
  };
}

function isFixed(derivation: Derivation): boolean {
  for (const output of derivation.outputs.values()) if (output.kind === "fixed") return true;
  return false;
}

function failToFind(path: StorePath): Derivation {
  throw new TsosError({ code: "derivation.unknown-input", message: `the input derivation "${path}" is not known`, data: { derivation: path } });
}
