import { join } from "node:path";
import type { TsosError } from "../error/tsos-error.ts";
import { isBuildFailure, toTsosError } from "./bundle-errors.ts";
import { INPUT_MODULES } from "./bundle-names.ts";
import type { BundleOptions } from "./bundle-options.ts";
import { joinErrors } from "./config-errors.ts";
import { configFiles } from "./config-files-plugin.ts";
import type { FileRead } from "./file-read.ts";
import { refuseCircles } from "./import-circles.ts";

export type Bundle = {
  /** A script whose value is a function of the runtime's API that gives what the configuration exports. */
  readonly code: string;
  /** The source map's JSON; its sources are relative to the project. */
  readonly map: string;
  readonly reads: readonly FileRead[];
  readonly warnings: readonly TsosError[];
};

/** What the compiler only warns of, and what is a mistake all the same. */
const WRONG: ReadonlySet<string> = new Set(["config.duplicate-key", "config.impure", "config.impure-import"]);

/**
 * Makes one script of a configuration and all that it imports.
 * @throws TsosError, or `ConfigErrors` with everything that is wrong: syntax, missing files, what is not pure.
 */
export async function bundleConfig(options: BundleOptions): Promise<Bundle> {
  const { build } = await import("esbuild");
  const reads = options.reads ?? new Map<string, FileRead>();
  const modules = options.inputModules ?? [];
  const inputs = modules.length === 0 ? "" : `import ${JSON.stringify(INPUT_MODULES)};\n`;
  const entry = options.file === undefined ? "export default undefined;" : `${inputs}export { default } from ${JSON.stringify(options.file)};`;
  let result;
  try {
    result = await build({
      stdin: { contents: entry, resolveDir: options.project, sourcefile: "tsos:entry", loader: "js" },
      absWorkingDir: options.project,
      outfile: join(options.project, "tsos-config.js"),
      bundle: true,
      write: false,
      format: "iife",
      globalName: "config",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["import", "default"],
      target: "es2023",
      // An import whose specifier is only known at run time could load anything.
      supported: { "dynamic-import": false },
      charset: "utf8",
      sourcemap: "external",
      sourcesContent: false,
      // The bundle depends on the files it names, not on a tsconfig that may lie above them.
      tsconfigRaw: { compilerOptions: { target: "es2023", useDefineForClassFields: true } },
      legalComments: "none",
      keepNames: false,
      logLevel: "silent",
      // What can only be told when it runs is told now.
      logOverride: { "unsupported-dynamic-import": "warning", "unsupported-require-call": "warning", "indirect-require": "warning" },
      metafile: true,
      // A module's code is strict, and so a change of what is frozen throws.
      banner: { js: '((__tsos) => { "use strict";' },
      footer: { js: "return config.default; })" },
      plugins: [configFiles(options, reads)],
    });
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw joinErrors(error.errors.map((message) => toTsosError(message, options)));
  }
  const [code, map] = [result.outputFiles.find((f) => f.path.endsWith(".js")), result.outputFiles.find((f) => f.path.endsWith(".map"))];
  const warnings = result.warnings.filter((w) => w.location === null || !w.location.file.includes("node_modules")).map((message) => toTsosError(message, options));
  const wrong = warnings.filter((warning) => WRONG.has(warning.code));
  if (wrong.length > 0) throw joinErrors(wrong);
  refuseCircles(result.metafile, options.project);
  return { code: code?.text ?? "", map: map?.text ?? "{}", reads: [...reads.values()], warnings };
}
