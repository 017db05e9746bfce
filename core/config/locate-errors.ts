import { existsSync, readFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { TraceMap, originalPositionFor } from "@jridgewell/trace-mapping";
import type { SourcePosition } from "../error/source-position.ts";
import { TsosError, type RelatedPosition } from "../error/tsos-error.ts";
import { parseOptionPath } from "../option/option-path.ts";
import { findNearestName } from "../util/suggest.ts";
import { impureNames } from "./impure-names.ts";
import { findDefaultExport, findDefinitionPlaces, isModulePart, type ModulePart } from "./definition-place.ts";
import { CONFIG_SCRIPT, NIX_PROJECT, RUNTIME_SCRIPT, type ErrorData } from "./protocol.ts";
import type { RuntimeFolder } from "./runtime-folder.ts";

/** The map of tsos's own script: it is large, and stays as it is. */
export type LocateMemory = { runtimeMap?: TraceMap };

export type LocateContext = {
  /** The source map of the user's bundle, as JSON. */
  readonly map: string;
  readonly project: string;
  readonly runtime: RuntimeFolder;
  readonly file: string | undefined;
  /** Kept by who locates errors again and again. */
  readonly memory?: LocateMemory | undefined;
};

/**
 * A definition or declaration as the option system's errors tell of it (`core/option/option-errors.ts`): the
 * stack at which its module was made, and the path of the property in what that returned.
 */
type Site = {
  readonly file: string | undefined;
  readonly stack: string | undefined;
  readonly path: readonly string[];
  readonly note: string;
  readonly part?: ModulePart | undefined;
};

/** Makes errors of what left the isolate, with places in the user's own files. */
export async function locateErrors(errors: readonly ErrorData[], context: LocateContext): Promise<readonly TsosError[]> {
  const locate = createLocator(context);
  const located: TsosError[] = [];
  for (const error of errors.flatMap(splitAssertions)) {
    const made = await locate.error(error);
    // The same mistake may be met by several readers.
    const isDouble = (other: TsosError): boolean => other.code === made.code && other.message === made.message && samePlace(other.at, made.at);
    if (!located.some(isDouble)) located.push(made);
  }
  return located;
}

/** The place at which a module was made, by the stack that was taken there. */
export function createModuleLocator(context: LocateContext): (stack: string) => SourcePosition | undefined {
  return createLocator(context).module;
}

/** Texts for people that name modules by their places in the isolate's scripts. */
export async function locateTexts(texts: readonly string[], context: LocateContext): Promise<readonly string[]> {
  return Promise.all(texts.map(createLocator(context).text));
}

function createLocator(context: LocateContext) {
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

  const sitePlaces = async (sites: readonly Site[]): Promise<readonly RelatedPosition[]> => {
    const places: RelatedPosition[] = [];
    for (const { file, stack, path, note, part } of sites) {
      // Where tsos declares something helps who develops tsos; who writes a configuration has the documentation.
      if (note === NOTES["declaredAt"] && stack?.includes(CONFIG_SCRIPT) !== true) continue;
      const made = stack === undefined ? undefined : modulePlace(stack);
      const explicit = file === undefined ? undefined : { file: resolve(context.project, file) };
      const start = explicit ?? made;
      if (start === undefined) continue;
      const found = await findDefinitionPlaces({ module: start, path: path.map((name) => name.replace(/^\[(\d+)\]$/, "$1")), part });
      if (found.length > 0) places.push(...found.map(({ name }) => ({ ...name, note })));
      else if (made !== undefined) places.push({ ...made, note });
    }
    return uniquePlaces(places);
  };

  /** Labels of modules are places in the bundle; people know their files. */
  const withPlaces = (text: string): string =>
    text.replace(/tsos:\w+:\d+:\d+/g, (label) => {
      const at = frame(label);
      if (at === undefined) return "tsos";
      // tsos's own modules are called by what they are: their files are not the user's.
      const own = /\/(modules\/.*)\.ts$/.exec(at.file);
      return label.startsWith(RUNTIME_SCRIPT) ? `tsos:${own?.[1] ?? "core"}` : `${relative(context.project, at.file)}:${at.line}:${at.column}`;
    });

  /** The same; where a text says which option a module defines, the place is that of the definition. */
  const withDefinitionPlaces = async (text: string): Promise<string> => {
    const match = /the option "(.+?)" \(((?:tsos:config:\d+:\d+(?:, )?)+)\)/.exec(text);
    const path = match === null ? undefined : readPath(match[1]!);
    if (match === null || path === undefined) return withPlaces(text);
    const places = await Promise.all(match[2]!.split(", ").map(async (label) => {
      const module = frame(label);
      const found = module === undefined ? [] : await findDefinitionPlaces({ module, path });
      return found.length === 0 ? withPlaces(label) : found.map(({ name }) => `${relative(context.project, name.file)}:${name.line}:${name.column}`).join(", ");
    }));
    return withPlaces(text.replace(match[0], () => `the option "${match[1]!}" (${places.join(", ")})`));
  };

  /** Each definition that a text names by its module, at its own place: `"a" (tsos:config:1:2), "b" (tsos:config:1:2)`. */
  const withSitePlaces = async (text: string, definitions: unknown): Promise<string> => {
    const used: SourcePosition[] = [];
    let placed = text;
    let from = 0;
    for (const definition of Array.isArray(definitions) ? definitions : []) {
      const label = `(${String((definition as { readonly module?: unknown }).module)})`;
      const at = placed.indexOf(label, from);
      const places = at === -1 || !label.startsWith(`(${CONFIG_SCRIPT}:`) ? [] : await sitePlaces(sitesIn(definition));
      // A module may define it more than once, in the parts of a mkMerge([…]).
      const found = places.find((place) => !used.some((other) => samePlace(place, other))) ?? places[0];
      if (found === undefined) continue;
      used.push(found);
      const shown = `(${relative(context.project, found.file)}:${found.line}:${found.column})`;
      placed = placed.slice(0, at) + shown + placed.slice(at + label.length);
      from = at + shown.length;
    }
    return placed;
  };

  /** Where the user's own files hold a text that an error is about: a store path, or its name where that is put together. */
  const findText = (text: unknown): SourcePosition | undefined => {
    if (typeof text !== "string" || text.length < 4) return undefined;
    for (const wanted of new Set([text, basename(text)])) {
      for (const source of mapOf(CONFIG_SCRIPT).sources) {
        const file = resolve(context.project, source ?? "");
        if (source === null || source.startsWith("tsos") || source.includes("node_modules/") || !existsSync(file)) continue;
        const lines = readFileSync(file, "utf8").split("\n");
        const line = lines.findIndex((content) => content.includes(wanted));
        if (line !== -1) return { file, line: line + 1, column: lines[line]!.indexOf(wanted) + 1 };
      }
    }
    return undefined;
  };

  /** Where the default export of one of the user's files defines the option, or what is around it. */
  const optionPlace = async (path: readonly string[]): Promise<SourcePosition | undefined> => {
    let best: { readonly at: SourcePosition; readonly depth: number } | undefined;
    for (const source of mapOf(CONFIG_SCRIPT).sources) {
      if (source === null || source.startsWith("tsos") || source.includes("node_modules/")) continue;
      const [found] = await findDefinitionPlaces({ module: { file: resolve(context.project, source) }, path });
      if (found !== undefined && found.depth > (best?.depth ?? 0)) best = { at: found.name, depth: found.depth };
    }
    return best?.at;
  };

  /** For what no definition is to blame for: what is around it, or the configuration as a whole. */
  const fallbackPlace = async (data: ErrorData): Promise<SourcePosition | undefined> => {
    if (ASKED.has(data.code)) return undefined;
    const path = data.data?.["optionPath"];
    const around = Array.isArray(path) ? await optionPlace(path.map(String)) : undefined;
    return around ?? (context.file === undefined ? undefined : await findDefaultExport(context.file));
  };

  const runtimeSources = (): ReadonlySet<string> => (runtimeFiles ??= new Set(mapOf(RUNTIME_SCRIPT).sources.map((source) => resolve(context.runtime.folder, source ?? ""))));
  let runtimeFiles: ReadonlySet<string> | undefined;
  const isOfRuntime = (file: string): boolean => file !== context.file && runtimeSources().has(file);

  const describeError = async (given: ErrorData): Promise<TsosError | Error> => {
    const data = await explain(given, context);
    const cause = data.cause === undefined ? undefined : await describeError(data.cause);
    if (data.kind === "bug") {
      const bug = new Error(data.message, { cause });
      bug.stack = `${data.message}\n${data.frames.map((text) => `    at ${formatFrame(frame(text), text)}`).join("\n")}`;
      return bug;
    }
    // What a module threw has its own place, and that of the module says nothing more.
    const thrownAt = causePlace(cause);
    const places = thrownAt === undefined && !(data.at !== undefined && data !== given) ? await sitePlaces(sitesIn(data.data)) : [];
    const related = (data.related ?? []).flatMap((place): RelatedPosition[] => {
      const at = position(place);
      return at === undefined ? [] : [{ ...at, note: place.note }];
    });
    // What was thrown has its own place; what is wrong with a definition has the definition's.
    const reader = data.code === "option.not-defined" ? userFrame(data.frames) : undefined;
    const own = (data.at === undefined ? undefined : position(data.at)) ?? thrownAt ?? reader;
    const all = own === undefined ? places : [{ ...own, note: "" }, ...places];
    // The user's own lines only: what a module of tsos makes of them says nothing to who did not write it.
    const [first, ...others] = all.filter((place) => !isOfRuntime(place.file));
    const at = first ?? userFrame(data.frames) ?? findText(data.data?.["path"] ?? data.data?.["text"]) ?? (await fallbackPlace(data));
    const located = new TsosError({
      code: data.code,
      message: await withDefinitionPlaces(await withSitePlaces(data.message, data.data?.["definitions"])),
      hint: data.hint ?? hintForGlobal(data.message, at),
      at: at === undefined ? undefined : { file: at.file, line: at.line, column: at.column },
      related: uniquePlaces([...others, ...related]).filter((place) => !samePlace(place, at)),
      ...(data.data === undefined ? {} : { data: withoutStacks(data.data) }),
      cause,
    });
    located.stack = `${data.message}\n${data.frames.map((text) => `    at ${formatFrame(frame(text), text)}`).join("\n")}`;
    return located;
  };

  return {
    text: withDefinitionPlaces,
    module(stack: string): SourcePosition | undefined {
      const frames = [...stack.matchAll(ANY_FRAME)].filter(([, maker]) => maker === undefined || !MAKERS.has(maker));
      return frames.flatMap(([, , text]) => frame(text ?? "") ?? [])[0];
    },
    async error(data: ErrorData): Promise<TsosError> {
      const made = await describeError(data);
      // A mistake of tsos is shown as one, at once.
      if (!(made instanceof TsosError)) throw made;
      return made;
    },
  };
}

// As the next, with frames outside functions: tsos's own modules are made there.
const ANY_FRAME = /^ +at (?:(?:new )?(\S+) (?:\[as \w+\] )?\()?(tsos:\w+:\d+:\d+)\)?$/gm;
const MAKERS: ReadonlySet<string> = new Set(["defineModule", "defineSystem", "defineShell", "submodule", "submoduleWith", "createModule", "createConfiguration", "mkRenamedOptionModule", "mkAliasOptionModule", "mkRemovedOptionModule", "mkChangedOptionModule", "mkMergedOptionModule"]);
const STACK_FRAME = /\((tsos:\w+:\d+:\d+)\)$/gm;

/** About what a command asks for, not about the configuration. */
const ASKED: ReadonlySet<string> = new Set(["config.bad-option-path", "config.not-a-package", "config.no-system", "option.bad-value", "option.no-value", "option.not-an-option", "option.unknown"]);

/** Assertions are thrown together; each has a place of its own, by the option that its message begins with. */
function splitAssertions(error: ErrorData): readonly ErrorData[] {
  const failed = error.code === "option.assertion-failed" ? error.data?.["failed"] : undefined;
  if (!Array.isArray(failed)) return [error];
  const sites = error.data?.["sites"];
  return failed.map(String).map((message, i) => ({ ...error, message, data: { failed: [message], optionPath: leadingPath(message), definitions: Array.isArray(sites) && !OF_OLD_NAME.test(message) ? (sites[i] as unknown) : undefined } }));
}

// It is not about where it is asserted, but about the definition that it names.
const OF_OLD_NAME = /^(?:specialisation "[^"]*": )*the option "/;

// `services.x.y must …`, or of an option that is gone `the option "services.x" (place) has been …`; a variant's too.
function leadingPath(message: string): readonly string[] | undefined {
  const plain = message.replace(/^(?:specialisation "[^"]*": )+/, "");
  const text = /^the option "(.+?)" \(/.exec(plain)?.[1] ?? /^[A-Za-z_][\w-]*(?:\.(?:[\w-]+|"(?:[^"\\]|\\.)*"))+/.exec(plain)?.[0];
  return text === undefined ? undefined : readPath(text);
}

function readPath(text: string): readonly string[] | undefined {
  try {
    return parseOptionPath(text);
  } catch {
    return undefined;
  }
}

/** What a module is called with. */
const ARGUMENTS: readonly string[] = ["config", "lib", "options", "pkgs"];

/** Says what to do about an error that JavaScript's own words leave open. */
async function explain(data: ErrorData, context: LocateContext): Promise<ErrorData> {
  // Where it was called from says nothing more: the name does not exist anywhere in an evaluation.
  if (data.code === "option.module-failed" && data.cause?.code === "config.impure") return data.cause;
  if (data.cause?.code === "config.too-large") return { ...data, ...data.cause, data: data.data };
  // JavaScript's own words for it: only their place says something new.
  if (data.cause !== undefined && (data.code === "option.changed-input" || data.cause.code === "config.too-deep" || (data.code === "option.module-failed" && data.cause.frames.length === 0))) {
    return { ...data, hint: data.hint ?? data.cause.hint, at: data.at ?? firstFrame(data.cause.frames), cause: undefined };
  }
  if (data.code === "config.not-a-configuration" && context.file !== undefined && (await findDefaultExport(context.file)) === undefined) {
    return { ...data, code: "config.no-default", message: `"${basename(context.file)}" exports no configuration`, hint: "export default defineSystem({ … }), or defineShell", at: { file: context.file, line: 1, column: 1 } };
  }
  const name = data.code === "option.module-failed" || data.code === "config.threw" ? /(?:^|ReferenceError: )([\w$]+) is not defined$/.exec(data.message)?.[1] : undefined;
  return name === undefined ? data : { ...data, message: `"${name}" is not defined`, hint: hintForName(name, context), cause: data.cause === undefined ? undefined : { ...data.cause, message: `"${name}" is not defined` } };
}

/** `globalThis.crypto.x` fails as any property of what is undefined. */
function hintForGlobal(message: string, at: SourcePosition | undefined): string | undefined {
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

/** What an error's `data` calls the places that it tells of, and what people read. */
const NOTES: Readonly<Record<string, string>> = { declaredAt: "declared here", input: "declared here", other: "also declared here" };

/** Every definition and declaration that an error's data tells of, in its order. */
function sitesIn(value: unknown, note = "also defined here", depth = 0): readonly Site[] {
  if (typeof value !== "object" || value === null || depth > 6) return [];
  if ("path" in value && Array.isArray(value.path) && ("stack" in value || "file" in value)) {
    const { file, stack, part: given } = value as { readonly file?: unknown; readonly stack?: unknown; readonly part?: unknown };
    const part = isModulePart(given) ? given : note === NOTES["declaredAt"] ? "options" : undefined;
    return [{ part, file: typeof file === "string" ? file : undefined, stack: typeof stack === "string" ? stack : undefined, path: value.path.map(String), note }];
  }
  return Object.entries(value).flatMap(([key, inner]) => sitesIn(inner, NOTES[key] ?? note, depth + 1));
}

function withoutStacks(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(data, (key, value: unknown) => (key === "stack" ? undefined : value))) as Record<string, unknown>;
}

function uniquePlaces(places: readonly RelatedPosition[]): readonly RelatedPosition[] {
  return places.filter((place, i) => places.findIndex((other) => samePlace(other, place)) === i);
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
