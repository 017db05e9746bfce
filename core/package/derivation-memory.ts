import { HashModuloCache } from "../derivation/hash-modulo-cache.ts";
import type { Derivation } from "../derivation/derivation.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { RecordedDerivation } from "./recorded-derivation.ts";

/** Above this it begins anew: who watches a configuration all day must not grow for ever. */
const MOST = 20_000;

/**
 * Derivations that earlier evaluations of the same realm made, by all that they are made from. An evaluation that makes
 * one again need not hash it again; that is most of the time of one.
 */
export class DerivationMemory {
  readonly #derived = new Map<string, RecordedDerivation>();
  #hashes: HashModuloCache;
  /** Of the evaluation that runs. */
  #getDerivation: (path: StorePath) => Derivation = (path) => {
    throw new Error(`"${path}" is asked for outside of an evaluation`);
  };

  constructor(storeDir: string) {
    this.#hashes = new HashModuloCache({ storeDir, getDerivation: (path) => this.#getDerivation(path) });
  }

  /** Begins an evaluation. @returns the hashes of derivations, by their paths */
  begin(getDerivation: (path: StorePath) => Derivation): HashModuloCache {
    this.#getDerivation = getDerivation;
    if (this.#derived.size > MOST) this.#derived.clear();
    return this.#hashes;
  }

  /** The one made from the same, if it had the same inputs: a fixed output may come from another derivation now. */
  find(key: string, inputDerivations: Derivation["inputDerivations"], inputSources: Derivation["inputSources"]): RecordedDerivation | undefined {
    const known = this.#derived.get(key);
    if (known === undefined) return undefined;
    const { derivation } = known;
    const isSame =
      derivation.inputDerivations.size === inputDerivations.size &&
      derivation.inputSources.size === inputSources.size &&
      [...inputSources].every((path) => derivation.inputSources.has(path)) &&
      [...inputDerivations].every(([path, outputs]) => {
        const others = derivation.inputDerivations.get(path);
        return others?.size === outputs.size && [...outputs].every((output) => others.has(output));
      });
    return isSame ? known : undefined;
  }

  remember(key: string, recorded: RecordedDerivation): void {
    this.#derived.set(key, recorded);
  }
}
