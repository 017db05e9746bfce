import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import type { SourcePosition } from "../../error/source-position.ts";
import { findNearestName } from "../../util/suggest.ts";
import { findDefaultExport } from "../definition-place.ts";
import { impureNames } from "../impure-names.ts";
import { CONFIG_SCRIPT, type ErrorData } from "../protocol.ts";
import type { LocateContext } from "./script-places.ts";

/** What a module is called with. */
const ARGUMENTS: readonly string[] = ["config", "lib", "options", "pkgs"];

/** What was thrown in a function of the user's is the cause of these. */
const FAILED: ReadonlySet<string> = new Set(["option.module-failed", "package.build-failed"]);

/** Says what to do about an error that JavaScript's own words leave open. */
export async function explainError(data: ErrorData, context: LocateContext): Promise<ErrorData> {
  // Where it was called from says nothing more: the name does not exist anywhere in an evaluation.
  if (FAILED.has(data.code) && data.cause?.code === "config.impure") return data.cause;
  if (data.cause?.code === "config.too-large") return { ...data, ...data.cause, data: data.data };
  // JavaScript's own words for it: only their place says something new.
  if (data.cause !== undefined && (data.code === "option.changed-input" || data.cause.code === "config.too-deep" || (FAILED.has(data.code) && data.cause.frames.length === 0))) {
    return { ...data, hint: data.hint ?? data.cause.hint, at: data.at ?? firstFrame(data.cause.frames), cause: undefined };
  }
  if (data.code === "config.not-a-configuration" && context.file !== undefined && (await findDefaultExport(context.file)) === undefined) {
    return { ...data, code: "config.no-default", message: `"${basename(context.file)}" exports no configuration`, hint: "export default defineSystem({ … }), or defineShell", at: { file: context.file, line: 1, column: 1 } };
  }
  const called = FAILED.has(data.code) || data.code === "config.threw" ? /(\bpkgs(?:\.[\w$]+|\["[^"]+"\])+) is not a function$/.exec(data.message)?.[1] : undefined;
  if (called !== undefined) return { ...data, hint: `${called} is a package, not a function: leave the brackets out; ${called}.override({ … }) changes what it is built with` };
  const name = FAILED.has(data.code) || data.code === "config.threw" ? /(?:^|ReferenceError: )([\w$]+) is not defined$/.exec(data.message)?.[1] : undefined;
  return name === undefined ? data : { ...data, message: `"${name}" is not defined`, hint: hintForName(name, context), cause: data.cause === undefined ? undefined : { ...data.cause, message: `"${name}" is not defined` } };
}

/** `globalThis.crypto.x` fails as any property of what is undefined. */
export function hintForGlobal(message: string, at: SourcePosition | undefined): string | undefined {
  if (at === undefined || !message.includes("Cannot read properties of undefined") || !existsSync(at.file)) return undefined;
  const line = readFileSync(at.file, "utf8").split("\n")[at.line - 1] ?? "";
  const name = /\bglobalThis\b[^.;]*\.\s*([A-Za-z]+)/.exec(line)?.[1];
  return name === undefined ? undefined : impureNames.get(name);
}

function firstFrame(frames: readonly string[]): SourcePosition | undefined {
  const own = frames.find((text) => text.startsWith(`${CONFIG_SCRIPT}:`))?.slice(CONFIG_SCRIPT.length + 1).split(":");
  return own === undefined ? undefined : { file: CONFIG_SCRIPT, line: Number(own[0]), column: Number(own[1]) };
}

function hintForName(name: string, context: LocateContext): string | undefined {
  const { exports, folderExports } = context.runtime;
  const exported = [...exports, ...folderExports];
  if (ARGUMENTS.includes(name)) return `a module is given it: defineSystem(({ ${name} }) => ({ … }))`;
  if (exported.includes(name)) return `import { ${name} } from "tsos"`;
  const near = findNearestName(name, [...ARGUMENTS, ...exported]);
  return near === undefined ? undefined : `did you mean "${near}"?`;
}
