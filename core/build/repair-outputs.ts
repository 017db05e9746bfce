import { dumpPath } from "../nar/dump-path.ts";
import type { NewPathInfo } from "../store/path-info.ts";
import { scan } from "../store/register-build-outputs.ts";
import type { LocalStore } from "../store/store.ts";
import type { StorePath } from "../store-path/store-path.ts";
import { compareByteStrings } from "../util/ordering.ts";
import type { DerivationBuild } from "./derivation-build.ts";
import { checkOutputs, discardsReferences } from "./reference-checks.ts";

/** Puts what was built in the place of outputs that are not what is registered; the others stay. */
export async function repairOutputs(store: LocalStore, build: DerivationBuild, outputs: ReadonlyMap<string, string>, inputs: ReadonlySet<StorePath>): Promise<void> {
  const candidates = [...inputs, ...build.outputPaths.values()];
  const infos = new Map<string, NewPathInfo>();
  for (const [name, folder] of outputs) {
    const path = build.outputPaths.get(name)!;
    const { narHash, narSize, references } = await scan(dumpPath(folder, { signal: build.signal }), candidates);
    const output = build.derivation.outputs.get(name);
    const contentAddress = output?.kind === "fixed" ? output.contentAddress : undefined;
    infos.set(name, { path, narHash, narSize, references: discardsReferences(build.derivation, name) ? [] : [...references].sort(compareByteStrings), deriver: build.path, contentAddress, ultimate: true });
  }
  await checkOutputs(store, build.derivation, infos);
  for (const [name, info] of infos) {
    if ((await store.verifyPath(info.path, { signal: build.signal })) === undefined) continue;
    // Through an archive: the files are fresh, so nobody has a descriptor of the build's to change them by.
    await store.addNarToStore(info, dumpPath(outputs.get(name)!, { signal: build.signal }), { repair: true, locked: true, signal: build.signal });
  }
}
