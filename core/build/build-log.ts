import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LocalStore } from "../store/store.ts";
import type { StorePath } from "../store-path/store-path.ts";

/** A log on disk, and how its bytes are packed. */
export type BuildLogFile = { readonly file: string; readonly compression: "none" | "bzip2" | "gzip" };

export type BuildLogWriter = Disposable & {
  readonly file: string;
  write(bytes: Uint8Array): void;
};

/** Where the log of a derivation's build lies, as Nix lays them: `drvs/<first two characters>/<rest>`. */
export function buildLogPath(logDir: string, derivation: StorePath): string {
  return join(logDir, "drvs", derivation.slice(0, 2), derivation.slice(2));
}

/** The log of the last build of `derivation`, written by tsos or by Nix; undefined when there is none. */
export async function findBuildLog(store: Pick<LocalStore, "logDir">, derivation: StorePath): Promise<BuildLogFile | undefined> {
  const plain = buildLogPath(store.logDir, derivation);
  for (const [suffix, compression] of [["", "none"], [".bz2", "bzip2"], [".gz", "gzip"]] as const) {
    const file = plain + suffix;
    if (await stat(file).then((found) => found.isFile(), () => false)) return { file, compression };
  }
  return undefined;
}

/** Begins a log anew. Each piece is in the file when `write` returns, so a killed run leaves what there was. */
export function openBuildLog(logDir: string, derivation: StorePath): BuildLogWriter {
  const file = buildLogPath(logDir, derivation);
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, "w", 0o644);
  let open = true;
  return {
    file,
    write(bytes) {
      for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
    },
    [Symbol.dispose]() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}
