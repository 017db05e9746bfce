import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { SourcePosition } from "../../error/source-position.ts";
import { TsosError, type RelatedPosition } from "../../error/tsos-error.ts";
import { findDefaultExport, findDefinitionPlaces, findNixosDefinitionPlaces } from "../definition-place.ts";
import { formatOptionPath } from "../../option/option-path.ts";
import { CONFIG_SCRIPT, NIX_PROJECT, type ErrorData } from "../protocol.ts";
import { optionsInMessage, optionsOfAssertion } from "./asserted-options.ts";
import { findSitePlaces, samePlace, sitesIn, uniquePlaces, withoutStacks } from "./error-sites.ts";
import { explainError, hintForGlobal } from "./explain-error.ts";
import { createTextPlacer } from "./place-texts.ts";
import { createScriptPlaces, type LocateContext } from "./script-places.ts";
import { readOptionPath, splitAssertions } from "./split-assertions.ts";

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
  return createScriptPlaces(context).makerPlace;
}

/** Texts for people that name modules by their places in the isolate's scripts. */
export async function locateTexts(texts: readonly string[], context: LocateContext): Promise<readonly string[]> {
  return Promise.all(texts.map(createLocator(context).text));
}

function createLocator(context: LocateContext) {
  const scripts = createScriptPlaces(context);
  const { position, frame, userFrame, isOfRuntime } = scripts;
  const texts = createTextPlacer(context, scripts);

  /** Where the user's own files hold a text that an error is about: a store path, or its name where that is put together. */
  const findText = (text: unknown): SourcePosition | undefined => {
    if (typeof text !== "string" || text.length < 4) return undefined;
    for (const wanted of new Set([text, basename(text)])) {
      for (const file of scripts.projectFiles()) {
        if (!existsSync(file)) continue;
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
    for (const file of scripts.projectFiles()) {
      const [found] = await findDefinitionPlaces({ module: { file }, path });
      if (found !== undefined && found.depth > (best?.depth ?? 0)) best = { at: found.name, depth: found.depth };
    }
    return best?.at;
  };

  /** For an assertion that names no option which the project defines: where it is made in TypeScript, else what around its options is defined, or what it reads. */
  const assertedPlace = async ({ related }: ErrorData, message: string, find: (option: string) => Promise<readonly SourcePosition[]>): Promise<SourcePosition | undefined> => {
    const [made] = related ?? [];
    if (made === undefined) return findText(message.split("\n")[0]) ?? (await find("assertions"))[0];
    const file = position(made)?.file;
    const read = file !== undefined && existsSync(file) ? optionsOfAssertion(readFileSync(file, "utf8"), made.line) : [];
    const candidates = [...optionsInMessage(message).flatMap(withParents), ...read, ...read.flatMap(withParents)];
    for (const option of new Set(candidates)) {
      const [found] = await find(option);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  /** Where modules of `defineNixosSystem` define the option that an error of NixOS' modules names, or one that needs it. */
  const nixosPlaces = async (error: ErrorData): Promise<{ readonly own: readonly RelatedPosition[]; readonly around: SourcePosition | undefined }> => {
    const { data } = error;
    const find = async (option: unknown): Promise<readonly RelatedPosition[]> => {
      const path = typeof option === "string" ? readOptionPath(option) : undefined;
      if (path === undefined || context.file === undefined) return [];
      return (await findNixosDefinitionPlaces(context.file, path)).map(({ name }) => ({ ...name, note: "also defined here" }));
    };
    const assertion = data?.["assertion"];
    if (typeof assertion === "string") {
      for (const option of optionsInMessage(assertion)) {
        const named = await find(option);
        if (named.length > 0) return { own: named, around: undefined };
      }
      return { own: [], around: await assertedPlace(error, assertion, find) };
    }
    const own = await find(data?.["nixOption"]);
    const within = data?.["withinOptions"];
    for (const option of own.length === 0 && Array.isArray(within) ? within : []) {
      const [around] = await find(option);
      if (around !== undefined) return { own, around };
    }
    return { own, around: undefined };
  };

  /** For what no definition is to blame for: what is around it, or the configuration as a whole. */
  const fallbackPlace = async (data: ErrorData): Promise<SourcePosition | undefined> => {
    if (ASKED.has(data.code)) return undefined;
    const path = data.data?.["optionPath"];
    const around = Array.isArray(path) ? await optionPlace(path.map(String)) : undefined;
    return around ?? (context.file === undefined ? undefined : await findDefaultExport(context.file));
  };

  /** Where the user's own code made the package that fails when it is computed, much later. */
  const madePlace = ({ data }: ErrorData, places: readonly SourcePosition[]): SourcePosition | undefined => {
    const made = data?.["madeAt"];
    const stack = typeof made === "object" && made !== null && "stack" in made ? made.stack : undefined;
    const at = typeof stack === "string" && stack.includes(CONFIG_SCRIPT) ? scripts.modulePlace(stack) : undefined;
    // On the line of the definition it says nothing more.
    return places.some(({ file, line }) => file === at?.file && line === at.line) ? undefined : at;
  };

  const describeError = async (given: ErrorData): Promise<TsosError | Error> => {
    const data = await explainError(given, context);
    const cause = data.cause === undefined ? undefined : await describeError(data.cause);
    if (data.kind === "bug") {
      const bug = new Error(data.message, { cause });
      bug.stack = `${data.message}\n${data.frames.map((text) => `    at ${formatFrame(frame(text), text)}`).join("\n")}`;
      return bug;
    }
    // What a module threw has its own place, and that of the module says nothing more.
    const thrownAt = causePlace(cause);
    const places = thrownAt === undefined && !(data.at !== undefined && data !== given) ? await findSitePlaces(sitesIn(data.data), context, scripts) : [];
    const related = (data.related ?? []).flatMap((place): RelatedPosition[] => {
      const at = position(place);
      return at === undefined ? [] : [{ ...at, note: place.note }];
    });
    // What was thrown has its own place; what is wrong with a definition has the definition's.
    const reader = data.code === "option.not-defined" ? userFrame(data.frames) : undefined;
    const made = madePlace(data, places);
    const own = (data.at === undefined ? undefined : position(data.at)) ?? thrownAt ?? reader ?? made;
    const all = own === undefined ? places : [{ ...own, note: "" }, ...(own === made ? places.map((place) => ({ ...place, note: "asked for here" })) : places)];
    // The user's own lines only: what a module of tsos makes of them says nothing to who did not write it.
    const defined = await nixosPlaces(data);
    const [first, ...others] = [...defined.own, ...all].filter((place) => !isOfRuntime(place.file));
    const at = first ?? userFrame(data.frames) ?? defined.around ?? findText(data.data?.["path"] ?? data.data?.["text"]) ?? findText(nixFileOf(data)) ?? (await fallbackPlace(data));
    const located = new TsosError({
      code: data.code,
      message: await texts.withDefinitionPlaces(await texts.withSitePlaces(data.code === "nix.evaluation" ? data.message.replaceAll(`${NIX_PROJECT}/`, "") : data.message, data.data?.["definitions"])),
      hint: data.hint ?? hintForGlobal(data.message, at),
      at: at === undefined ? undefined : { file: at.file, line: at.line, column: at.column },
      related: uniquePlaces([...others, ...nixDefinitions(data, context.project), ...related]).filter((place) => !samePlace(place, at)),
      ...(data.data === undefined ? {} : { data: texts.inData(withoutStacks(data.data)) }),
      cause,
    });
    located.stack = `${data.message}\n${data.frames.map((text) => `    at ${formatFrame(frame(text), text)}`).join("\n")}`;
    return located;
  };

  return {
    text: texts.withDefinitionPlaces,
    async error(data: ErrorData): Promise<TsosError> {
      const made = await describeError(data);
      // A mistake of tsos is shown as one, at once.
      if (!(made instanceof TsosError)) throw made;
      return made;
    },
  };
}

/** About what a command asks for, not about the configuration. */
const ASKED: ReadonlySet<string> = new Set(["config.bad-option-path", "config.not-a-package", "config.no-system", "option.bad-value", "option.no-value", "option.not-an-option", "option.unknown", "package.unknown"]);

/** An option and the sets that it is in, but for the outermost, which says nothing. */
function withParents(option: string): readonly string[] {
  const path = readOptionPath(option) ?? [];
  return Array.from({ length: Math.max(0, path.length - 1) }, (_, i) => formatOptionPath(path.slice(0, path.length - i)));
}

function causePlace(cause: unknown): SourcePosition | undefined {
  return cause instanceof TsosError ? cause.at : undefined;
}

function formatFrame(at: SourcePosition | undefined, text: string): string {
  return at === undefined ? text : `${at.file}:${at.line}:${at.column}`;
}

const PROJECT_FILE = /\/project\/([^\s'"`:]+\.nix)/;

/** The Nix file of the project that an error is about: what names it in TypeScript is the line that asked. */
function nixFileOf({ code, message, related }: ErrorData): string | undefined {
  if (code !== "nix.evaluation") return undefined;
  const inMessage = PROJECT_FILE.exec(message)?.[1];
  const place = related?.find(({ file }) => file.startsWith(`${NIX_PROJECT}/`))?.file.slice(NIX_PROJECT.length + 1);
  const file = place ?? inMessage;
  return file === undefined ? undefined : file.split("/").at(-1);
}

/** Where a Nix file of the project defines the option that the module system's own words are about: it names the file only. */
function nixDefinitions({ data, message }: ErrorData, project: string): readonly RelatedPosition[] {
  const name = typeof data?.["nixOption"] === "string" ? /([\w-]+)"?$/.exec(data["nixOption"])?.[1] : undefined;
  const file = PROJECT_FILE.exec(message)?.[1];
  if (name === undefined || file === undefined || !existsSync(join(project, file))) return [];
  const lines = readFileSync(join(project, file), "utf8").split("\n");
  const word = new RegExp(`(?<![\\w-])${name}(?=[\\s".]*[=.{])`);
  const line = lines.findIndex((text) => word.test(text));
  return line === -1 ? [] : [{ file: join(project, file), line: line + 1, column: word.exec(lines[line]!)!.index + 1, note: "in the Nix expression" }];
}
