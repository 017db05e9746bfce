import { checkDerivation } from "../../core/derivation/check-derivation.ts";
import { derivationStorePath } from "../../core/derivation/derivation-store-path.ts";
import type { Derivation } from "../../core/derivation/derivation.ts";
import { formatDerivation } from "../../core/derivation/format-derivation.ts";
import { HashModuloCache } from "../../core/derivation/hash-modulo-cache.ts";
import { parseDerivation } from "../../core/derivation/parse-derivation.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { parseStorePathBaseName, storePathName, type StorePath } from "../../core/store-path/store-path.ts";

export type DrvFailure = { readonly file: string; readonly reason: string };

/**
 * What does not come out of each `.drv` file as it stands: its bytes when written again, its own store path, or
 * the paths of its outputs. `files` is by base name; the inputs of each must be among them.
 */
export function checkDrvs(files: ReadonlyMap<string, Uint8Array>): readonly DrvFailure[] {
  const failures = new Map<string, string>();
  const attempt = (file: string, check: () => void): void => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof TsosError)) throw error;
      if (!failures.has(file)) failures.set(file, error.message);
    }
  };

  const derivations = new Map<StorePath, Derivation>();
  for (const [file, bytes] of files) {
    attempt(file, () => {
      const path = parseStorePathBaseName(file);
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
      const derivation = parseDerivation(text, storePathName(path).replace(/\.drv$/, ""));
      derivations.set(path, derivation);
      const again = formatDerivation(derivation);
      if (again !== text) fail(`is written with other bytes from byte ${firstDifference(again, text)} on`);
      const own = derivationStorePath(derivation, undefined, again);
      if (own !== path) fail(`has the store path "${own}"`);
    });
  }
  const cache = new HashModuloCache({
    getDerivation: (path) => derivations.get(path) ?? fail(`the input "${path}" is not in the archive, or not readable`),
  });
  for (const [path, derivation] of derivations) attempt(path, () => checkDerivation(derivation, cache.get));
  return [...failures].map(([file, reason]) => ({ file, reason }));
}

function fail(message: string): never {
  throw new TsosError({ code: "golden.mismatch", message });
}

function firstDifference(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
}
