import { TsosError } from "../error/tsos-error.ts";
import { formatHash } from "../hash/hash.ts";
import { narHashOfPath } from "../nar/dump-path.ts";
import type { LocalStore } from "../store/store.ts";
import { compareTrees } from "./compare-trees.ts";
import type { DerivationBuild } from "./derivation-build.ts";

/** @throws TsosError `build.not-deterministic` naming the outputs and files that differ */
export async function compareOutputs(store: LocalStore, build: DerivationBuild, outputs: ReadonlyMap<string, string>): Promise<void> {
  const different: { output: string; files: readonly string[]; registered: string; rebuilt: string }[] = [];
  for (const [name, folder] of outputs) {
    const path = build.outputPaths.get(name)!;
    const known = await store.findPathInfo(path);
    // Only what is there is compared.
    if (known === undefined) continue;
    const { narHash } = known;
    const rebuilt = await narHashOfPath(folder);
    const [was, is] = [formatHash(narHash, "sri"), formatHash(rebuilt.hash, "sri")];
    if (was !== is) different.push({ output: name, files: await compareTrees(store.realPath(path), folder), registered: was, rebuilt: is });
  }
  if (different.length === 0) return;
  const list = different.flatMap(({ output, files }) => files.map((file) => `\n  ${output}: ${file}`)).join("");
  throw notDeterministic(`building again gave other contents; these files differ:${list}`, { different });
}

export function notDeterministic(message: string, data: Readonly<Record<string, unknown>>): TsosError {
  return new TsosError({ code: "build.not-deterministic", message, data });
}
