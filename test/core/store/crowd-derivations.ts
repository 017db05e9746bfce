import { finishDerivation } from "../../../core/derivation/finish-derivation.ts";
import { HashModuloCache } from "../../../core/derivation/hash-modulo-cache.ts";
import { formatDerivation } from "../../../core/derivation/format-derivation.ts";
import { derivationReferences } from "../../../core/derivation/derivation-store-path.ts";
import type { TextToAdd } from "../../../core/store/store.ts";
import type { StorePath } from "../../../core/store-path/store-path.ts";

const COUNT = 500;

export type CrowdDerivations = { readonly paths: readonly StorePath[]; readonly texts: readonly TextToAdd[] };

/** 500 derivations, most of which need one or two earlier ones; always the same. */
export function crowdDerivations(): CrowdDerivations {
  const cache = new HashModuloCache();
  const made: ReturnType<typeof finishDerivation>[] = [];
  const texts: TextToAdd[] = [];
  for (let n = 0; n < COUNT; n++) {
    const inputs = [made[Math.floor(n / 3)], made[Math.floor(n / 2)]].filter((input) => input !== undefined);
    const text = inputs.map((input) => `/nix/store/${input.outputPaths.get("out")!}`).join(" ");
    const finished = finishDerivation(
      {
        name: `crowd-${n}`, outputs: new Map([["out", { kind: "deferred" }]]), inputDerivations: new Map(inputs.map((input) => [input.path, new Set(["out"])])), inputSources: new Set<StorePath>(),
        platform: "builtin", builder: "builtin:crowd", args: [], env: new Map([["name", `crowd-${n}`], ["text", `${n} ${text}`]]),
      },
      cache,
    );
    made.push(finished);
    texts.push({ name: `crowd-${n}.drv`, contents: formatDerivation(finished.derivation), references: [...derivationReferences(finished.derivation)] });
  }
  return { paths: made.map(({ path }) => path), texts };
}
