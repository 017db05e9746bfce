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
  const fail = (error: TsosError): TsosError => {
    // A message over several lines stands as the commands show one.
    for (const [index, line] of error.message.split("\n").entries()) onLine(index === 0 ? `error: ${line}` : line === "" ? "" : `       ${line}`);
    return new TsosError({ code: error.code, message: error.message, hint: error.hint, data: { ...error.data, isBuiltin: true, isFixed: isFixedOutput(derivation) }, cause: error });
  };
  if (builder === undefined) {
    throw fail(
      new TsosError({
        code: "build.unknown-builtin",
        message: `unsupported builtin builder '${name}'`,
        hint: `there are ${[...options.builtins.keys()].sort().join(", ")}`,
        data: { name },
      }),
    );
  }
  // Nix: libstore/builtins/fetchurl.cc. What comes from the network is what its hash says.
  if (name === "fetchurl" && !isFixedOutput(derivation)) {
    throw fail(new TsosError({ code: "build.not-fixed", message: "'builtin:fetchurl' must be a fixed-output or impure derivation", hint: "give the derivation an outputHash" }));
  }
  const temporaryFolder = join(scratch, SCRATCH_FOLDERS.build);
  mkdirSync(join(scratch, SCRATCH_FOLDERS.store));
  mkdirSync(temporaryFolder);
  const running = builder({
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
  await running.catch((error: unknown) => {
    // What was fetched is told apart from what could not be.
    if (build.signal.aborted || !(error instanceof TsosError) || error.code === "fetch.hash-mismatch") throw error;
    throw fail(error);
  });
}
