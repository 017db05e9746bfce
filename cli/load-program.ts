import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { untuneEngine } from "../core/util/tune-engine.ts";
import { loadCachedScript } from "../core/util/cached-script.ts";

export type LoadedProgram = {
  readonly exports: Readonly<Record<string, unknown>>;
  /** Keeps what the engine compiled for the next run of the same command. */
  save(): void;
};

/**
 * Runs a program that was bundled into one script, `NAME.cjs` of `folder`, with what the engine compiled of it when the
 * same command ran before: reading a hundred modules and compiling them takes half of a short command's time.
 *
 * @param identity what tells this build of the program from any other
 */
export function loadProgram(folder: string, name: string, identity: string, command: string): LoadedProgram {
  const file = join(folder, `${name}.cjs`);
  const compiled = join(folder, "compiled");
  // All of it is ASCII.
  const { script, save } = loadCachedScript(readFileSync(file, "latin1"), join(compiled, `${name}-${command}.cache`), identity, { filename: file });
  const module = { exports: {} };
  const run = script.runInThisContext() as (exports: object, require: NodeJS.Require, module: object, url: string, folder: string) => void;
  run(module.exports, createRequire(file), module, pathToFileURL(file).href, folder);
  return {
    exports: module.exports,
    save() {
      try {
        mkdirSync(compiled);
      } catch {
        // It is there, or cannot be.
      }
      // An evaluation may have been here.
      save(untuneEngine);
    },
  };
}
