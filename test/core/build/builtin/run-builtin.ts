import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { BuiltinBuildContext } from "../../../../core/build/builtin-builder.ts";
import { builtinBuilders } from "../../../../core/build/builtin/table.ts";
import type { Derivation } from "../../../../core/derivation/derivation.ts";
import { plainFetchSettings } from "../../../../core/fetch/fetch-settings.ts";
import { findBubblewrap } from "../build-fixture.ts";
import type { StorePath } from "../../../../core/store-path/store-path.ts";

export function testFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tsos-builtin-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Runs a builtin builder outside of a store: its output is `folder/out`, paths are what they are. */
export async function runBuiltin(folder: string, name: string, env: Readonly<Record<string, string>>, out = "out"): Promise<string> {
  const derivation: Derivation = {
    name: "demo", outputs: new Map(), inputDerivations: new Map(), inputSources: new Set(), platform: "builtin", builder: `builtin:${name}`, args: [], env: new Map(),
  };
  const target = join(folder, out);
  const temporaryFolder = join(folder, `${out}.tmp`);
  mkdirSync(temporaryFolder, { recursive: true });
  const context: BuiltinBuildContext = {
    derivation,
    derivationPath: "00000000000000000000000000000000-demo.drv" as StorePath,
    name,
    env: new Map(Object.entries({ out: target, ...env })),
    outputs: new Map([["out", target]]),
    realPath: (path) => path,
    resolvedPath: (path) => path,
    bubblewrap: () => Promise.resolve({ command: findBubblewrap(), args: [] }),
    temporaryFolder,
    settings: { ...plainFetchSettings, attempts: 1 },
    signal: new AbortController().signal,
    progress: () => undefined,
    log: () => undefined,
  };
  await builtinBuilders.get(name)!(context);
  return target;
}
