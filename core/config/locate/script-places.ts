import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { TraceMap, originalPositionFor } from "@jridgewell/trace-mapping";
import type { SourcePosition } from "../../error/source-position.ts";
import { CONFIG_SCRIPT, NIX_PROJECT, RUNTIME_SCRIPT } from "../protocol.ts";
import type { RuntimeFolder } from "../runtime-folder.ts";

/** The map of tsos's own script: it is large, and stays as it is. */
export type LocateMemory = { runtimeMap?: TraceMap };

export type LocateContext = {
  /** The source map of the user's bundle, as JSON. */
  readonly map: string;
  readonly project: string;
  readonly runtime: RuntimeFolder;
  readonly file: string | undefined;
  /** Folders of inputs, by the store path as which Nix expressions see them. */
  readonly sources?: ReadonlyMap<string, string> | undefined;
  /** Kept by who locates errors again and again. */
  readonly memory?: LocateMemory | undefined;
};

/** Finds the files behind the places in the isolate's two scripts, which its stacks and labels name. */
export type ScriptPlaces = ReturnType<typeof createScriptPlaces>;

export function createScriptPlaces(context: LocateContext) {
  const scripts = new Map<string, TraceMap>();
  const mapOf = (script: string): TraceMap => {
    const known = scripts.get(script);
    if (known !== undefined) return known;
    const map = script === CONFIG_SCRIPT ? new TraceMap(context.map) : (context.memory?.runtimeMap ?? new TraceMap(readFileSync(join(context.runtime.folder, "runtime.js.map"), "utf8")));
    if (script !== CONFIG_SCRIPT && context.memory !== undefined) context.memory.runtimeMap = map;
    scripts.set(script, map);
    return map;
  };

  /** The place in a file for a place in one of the isolate's scripts; undefined where there is none. */
  const position = (at: SourcePosition): SourcePosition | undefined => {
    if (at.file.startsWith(`${NIX_PROJECT}/`)) return { ...at, file: join(context.project, at.file.slice(NIX_PROJECT.length)) };
    const source = [...(context.sources ?? [])].find(([storePath]) => at.file.startsWith(`${storePath}/`));
    if (source !== undefined) return { ...at, file: join(source[1], at.file.slice(source[0].length)) };
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

  /** Where the module itself was made, by the innermost frame that is not the function that makes modules. */
  const modulePlace = (stack: string): SourcePosition | undefined => {
    const frames = [...stack.matchAll(STACK_FRAME)].map((match) => match[1]!);
    const own = userFrame(frames);
    return own ?? frame(frames[1] ?? frames[0] ?? "");
  };

  /** Where the innermost frame leads that is not of a function that makes modules; tsos's own modules too. */
  const makerPlace = (stack: string): SourcePosition | undefined => {
    const frames = [...stack.matchAll(ANY_FRAME)].filter(([, maker]) => maker === undefined || !MAKERS.has(maker));
    return frames.flatMap(([, , text]) => frame(text ?? "") ?? [])[0];
  };

  /** The project's own files in the bundle. */
  const projectFiles = (): readonly string[] =>
    mapOf(CONFIG_SCRIPT).sources.flatMap((source) => (source === null || source.startsWith("tsos") || source.includes("node_modules/") ? [] : [resolve(context.project, source)]));

  let runtimeFiles: ReadonlySet<string> | undefined;
  const isOfRuntime = (file: string): boolean => {
    runtimeFiles ??= new Set(mapOf(RUNTIME_SCRIPT).sources.map((source) => resolve(context.runtime.folder, source ?? "")));
    return file !== context.file && runtimeFiles.has(file);
  };

  return { position, frame, userFrame, modulePlace, makerPlace, projectFiles, isOfRuntime };
}

// As the next, with frames outside functions: tsos's own modules are made there.
const ANY_FRAME = /^ +at (?:(?:new )?(\S+) (?:\[as \w+\] )?\()?(tsos:\w+:\d+:\d+)\)?$/gm;
const MAKERS: ReadonlySet<string> = new Set(["defineModule", "defineSystem", "defineShell", "submodule", "submoduleWith", "createModule", "createConfiguration", "mkRenamedOptionModule", "mkAliasOptionModule", "mkRemovedOptionModule", "mkChangedOptionModule", "mkMergedOptionModule"]);
const STACK_FRAME = /\((tsos:\w+:\d+:\d+)\)$/gm;
