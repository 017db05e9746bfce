import { existsSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import type { InputModule } from "./bundle-options.ts";
import { cacheKey, findCached, writeCached } from "./evaluation-cache.ts";

/**
 * The modules of inputs that the last evaluation of a configuration used. It is a guess: a bundle with them is most
 * likely the one that is needed.
 */
export async function guessInputModules(cacheDir: string, file: string): Promise<readonly InputModule[]> {
  const found = await findCached<readonly InputModule[]>(cacheDir, keyOf(file));
  return found?.value.every(({ root, path }) => existsSync(join(root, path))) === true ? found.value : [];
}

/** The same as files. */
export async function findKnownInputModules(cacheDir: string, file: string): Promise<readonly string[]> {
  return (await guessInputModules(cacheDir, realpathSync(file))).map(({ root, path }) => resolve(root, path));
}

export async function rememberInputModules(cacheDir: string, file: string, modules: readonly InputModule[]): Promise<void> {
  if (modules.length > 0 || (await findCached(cacheDir, keyOf(file))) !== undefined) writeCached(cacheDir, keyOf(file), { reads: [], value: modules });
}

function keyOf(file: string): string {
  return cacheKey(["input-modules", file]);
}
