import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { TraceMap, originalPositionFor } from "@jridgewell/trace-mapping";
import type { SourcePosition } from "../error/source-position.ts";
import { TsosError, type RelatedPosition } from "../error/tsos-error.ts";
import { findDefinitionPlaces } from "./definition-place.ts";
import { CONFIG_SCRIPT, RUNTIME_SCRIPT, type ErrorData } from "./protocol.ts";
import type { RuntimeFolder } from "./runtime-folder.ts";

export type LocateContext = {
  /** The source map of the user's bundle, as JSON. */
  readonly map: string;
  readonly project: string;
  readonly runtime: RuntimeFolder;
  readonly file: string | undefined;
};

/** A definition that an error is about: the module by the place that made it, and the option's path. */
export type DefinitionReference = { readonly module?: SourcePosition | undefined; readonly path: readonly string[] };

/** Makes errors of what left the isolate, with places in the user's own files. */
export async function locateErrors(errors: readonly ErrorData[], context: LocateContext): Promise<readonly TsosError[]> {
  const locate = createLocator(context);
  const located: TsosError[] = [];
  for (const error of errors) {
    const made = await locate.error(error);
    // The same mistake may be met by several readers.
    const isDouble = (other: TsosError): boolean => other.code === made.code && other.message === made.message && samePlace(other.at, made.at);
    if (!located.some(isDouble)) located.push(made);
  }
  return located;
}

function createLocator(context: LocateContext) {
  const scripts = new Map<string, TraceMap>();
  const mapOf = (script: string): TraceMap => {
    const known = scripts.get(script);
    if (known !== undefined) return known;
    const text = script === CONFIG_SCRIPT ? context.map : readFileSync(join(context.runtime.folder, "runtime.js.map"), "utf8");
    const map = new TraceMap(text);
    scripts.set(script, map);
    return map;
  };

  /** The place in a file for a place in one of the isolate's scripts; undefined where there is none. */
  const position = (at: SourcePosition): SourcePosition | undefined => {
    if (at.file !== CONFIG_SCRIPT && at.file !== RUNTIME_SCRIPT) return at;
    try {
      const found = originalPositionFor(mapOf(at.file), { line: at.line, column: Math.max(0, at.column - 1) });
      if (found.source === null || found.source.startsWith("tsos")) return undefined;
      const folder = at.file === CONFIG_SCRIPT ? context.project : context.runtime.folder;
      return { file: resolve(folder, found.source), line: found.line, column: found.column + 1 };
    } catch {
      return undefined;
    }
  };

  const frame = (text: string): SourcePosition | undefined => {
    const match = /^(tsos:\w+):(\d+):(\d+)$/.exec(text);
    return match === null ? undefined : position({ file: match[1]!, line: Number(match[2]), column: Number(match[3]) });
  };

  /** The innermost frame that is the user's own code, not that of a package it uses. */
  const userFrame = (frames: readonly string[]): SourcePosition | undefined => {
    const own = frames.filter((text) => text.startsWith(CONFIG_SCRIPT)).flatMap((text) => frame(text) ?? []);
    return own.find((at) => !at.file.includes("/node_modules/")) ?? own[0];
  };

  const describeError = async (data: ErrorData): Promise<TsosError | Error> => {
    const cause = data.cause === undefined ? undefined : await describeError(data.cause);
    if (data.kind === "bug") {
      const bug = new Error(data.message, { cause });
      bug.stack = `${data.message}\n${data.frames.map((text) => `    at ${formatFrame(frame(text), text)}`).join("\n")}`;
      return bug;
    }
    const places = await definitionPlaces(data, position);
    const related = (data.related ?? []).flatMap((place): RelatedPosition[] => {
      const at = position(place);
      return at === undefined ? [] : [{ ...at, note: place.note }];
    });
    const at = places.at ?? (data.at === undefined ? undefined : position(data.at)) ?? userFrame(data.frames) ?? causePlace(cause);
    const located = new TsosError({
      code: data.code,
      message: data.message,
      hint: data.hint,
      at,
      related: [...places.related, ...related].filter((place) => !samePlace(place, at)),
      ...(data.data === undefined ? {} : { data: data.data }),
      cause,
    });
    located.stack = `${data.message}\n${data.frames.map((text) => `    at ${formatFrame(frame(text), text)}`).join("\n")}`;
    return located;
  };

  return {
    async error(data: ErrorData): Promise<TsosError> {
      const made = await describeError(data);
      // A mistake of tsos is shown as one, at once.
      if (!(made instanceof TsosError)) throw made;
      return made;
    },
  };
}

function causePlace(cause: unknown): SourcePosition | undefined {
  return cause instanceof TsosError ? cause.at : undefined;
}

function formatFrame(at: SourcePosition | undefined, text: string): string {
  return at === undefined ? text : `${at.file}:${at.line}:${at.column}`;
}

function samePlace(a: SourcePosition | undefined, b: SourcePosition | undefined): boolean {
  return a?.file === b?.file && a?.line === b?.line && a?.column === b?.column;
}
