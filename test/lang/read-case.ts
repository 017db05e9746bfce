import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { EvaluateRequest } from "../core/nix/evaluate-worker.ts";
import type { LintLevel, NixSettings } from "../../core/nix/nix-settings.ts";

/**
 * A case of the language: `kind-okay-name.nix` or `kind-fail-name.nix`, what the reference prints of it (`.exp`) and what
 * it says besides (`.err.exp`). A first line `# options: …` gives options of the command.
 */
export type LangCase = { readonly name: string; readonly text: string; readonly options: readonly string[]; readonly isOkay: boolean; readonly isParse: boolean };

export function readCase(folder: string, name: string): LangCase {
  const text = readFileSync(join(folder, `${name}.nix`), "latin1");
  const options = /^# options: (.*)/.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  return { name, text, options, isOkay: /^\w+-okay-/.test(name), isParse: name.startsWith("parse-") };
}

/** What was expected of it, in bytes; empty where there is no file. */
export function readExpectation(folder: string, name: string, suffix: "exp" | "err.exp"): string {
  const file = join(folder, `${name}.${suffix}`);
  return existsSync(file) ? readFileSync(file, "latin1").trimEnd() : "";
}

/** As `nix-instantiate --eval --strict --show-trace`, or `--parse`, would be asked for it. */
export function requestOf({ name, text, options, isParse }: LangCase, folder: string): EvaluateRequest {
  const settings: { -readonly [K in keyof NixSettings]: NixSettings[K] } = {};
  let mode: EvaluateRequest["mode"] = isParse ? "parse" : "strict";
  for (let i = 0; i < options.length; i++) {
    switch (options[i]) {
      case "--json": mode = "json"; break;
      case "--xml": mode = "xml-locations"; break;
      case "--no-location": mode = "xml"; break;
      case "--lazy": mode = "lazy"; break;
      case "--trace-verbose": settings.traceVerbose = true; break;
      case "--abort-on-warn": settings.abortOnWarn = true; break;
      case "--max-call-depth": settings.maxCallDepth = Number(options[++i]); break;
      case "--lint-url-literals": settings.lintUrlLiterals = options[++i] as LintLevel; break;
      case "--lint-short-path-literals": settings.lintShortPathLiterals = options[++i] as LintLevel; break;
      case "--lint-absolute-path-literals": settings.lintAbsolutePathLiterals = options[++i] as LintLevel; break;
      case "--extra-experimental-features": if (options[++i] === "pipe-operators") settings.pipeOperators = true; break;
      default: throw new TypeError(`case "${name}" has an option "${options[i]!}" that is not known here`);
    }
  }
  return { text, file: `/lang/${name}.nix`, basePath: "/lang", mode, map: ["/lang", folder], settings };
}
