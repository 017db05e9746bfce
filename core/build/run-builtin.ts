import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import type { LocalStore } from "../store/store.ts";
import type { StorePath } from "../store-path/store-path.ts";
import { fromByteString } from "../util/bytes.ts";
import type { BuildOptions } from "./build-options.ts";
import { isFixedOutput } from "./builder-environment.ts";
import { createInputPaths } from "./builtin-inputs.ts";
import { BUILTIN_PREFIX, type DerivationBuild } from "./derivation-build.ts";
import { SCRATCH_FOLDERS } from "./sandbox.ts";

/** @throws TsosError `build.unknown-builtin`, `build.not-fixed`, and what the builder throws */
export async function runBuiltin(
  scratch: string,
  store: LocalStore,
  build: DerivationBuild,
  options: BuildOptions,
  { outputs, inputs }: { readonly outputs: ReadonlyMap<string, string>; readonly inputs: ReadonlySet<StorePath> },
  onLine: (line: string) => void,
): Promise<void> {
  const { derivation } = build;
  const name = fromByteString(derivation.builder.slice(BUILTIN_PREFIX.length));
  const builder = options.builtins.get(name);
  if (builder === undefined) {
    throw new TsosError({
      code: "build.unknown-builtin",
      message: `there is no builtin builder "${name}", expected one of ${[...options.builtins.keys()].sort().join(", ")}`,
      data: { name },
    });
  }
  // Nix: libstore/builtins/fetchurl.cc. What comes from the network is what its hash says.
  if (name === "fetchurl" && !isFixedOutput(derivation)) {
    throw new TsosError({ code: "build.not-fixed", message: '"builtin:fetchurl" must have a fixed output', hint: "give the derivation an outputHash" });
  }
  const temporaryFolder = join(scratch, SCRATCH_FOLDERS.build);
  mkdirSync(join(scratch, SCRATCH_FOLDERS.store));
  mkdirSync(temporaryFolder);
  await builder({
    derivation,
    derivationPath: build.path,
    name,
    env: new Map([...derivation.env].map(([key, value]) => [fromByteString(key), fromByteString(value)])),
    outputs,
    ...createInputPaths(store, inputs),
    bubblewrap: options.tools.bubblewrap,
    localFiles: options.localFiles,
    temporaryFolder,
    settings: options.settings,
    signal: build.signal,
    progress: (done, total) => build.onProgress(done, total),
    log: onLine,
  });
}
