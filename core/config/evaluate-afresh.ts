import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { InstantiatedSource, Instantiation } from "../derivation/instantiation.ts";
import { TsosError } from "../error/tsos-error.ts";
import { moduleKey, type DeclaredInput } from "../option/declared-input.ts";
import { bundleConfig, type Bundle } from "./bundle.ts";
import type { InputModule } from "./bundle-options.ts";
import { joinErrors } from "./config-errors.ts";
import type { EvaluateOptions, Evaluation, WatchedEvaluation } from "./evaluation.ts";
import { findTracked, hashFolder, readTracked, type FileRead } from "./file-read.ts";
import { createHostCalls } from "./host-calls.ts";
import { isInside } from "./is-inside.ts";
import { guessInputModules, rememberInputModules } from "./known-input-modules.ts";
import { chooseLimits } from "./choose-limits.ts";
import { openIsolate } from "./isolate.ts";
import type { LocateContext } from "./locate/script-places.ts";
import { openProjectInputs, type ProjectInputs } from "./project-inputs.ts";
import type { EvaluationRequest, EvaluationResult, IsolateReply, ResultOf } from "./protocol.ts";

export type FreshEvaluation<K extends EvaluationRequest["kind"]> = Omit<Evaluation<K>, "cached"> & {
  /** Whether `reads` tells all that the outcome depends on. */
  readonly isRepeatable: boolean;
};

// A module of an input may itself ask for another's.
const MAX_STARTS = 50;

/**
 * Bundles and evaluates, with nothing remembered. Where the configuration asks for a module of an input that the
 * bundle does not hold, it is bundled again with it: so what is evaluated in the end is one script.
 */
export async function evaluateAfresh<R extends EvaluationRequest>(options: EvaluateOptions<R> & WatchedEvaluation & { readonly project: string }): Promise<FreshEvaluation<R["kind"]>> {
  const { file, project, runtime, request, signal, parsedFolder } = options;
  const inputs = openProjectInputs(project, file ?? join(project, "none"), options.inputs, { forUpdate: request.kind === "inputs" });
  let modules = await guessModules(options, inputs);
  const limits = chooseLimits(file, project, options.limits);
  // Its process loads the runtime while the bundle is made.
  let isolate = options.isolate ?? openIsolate(runtime, { limits, signal, parsedFolder });
  try {
    for (let start = 1; ; start++) {
      const demanded = new Map<string, InputModule>();
      const read = new Map<string, FileRead>();
      const host = createHostCalls(project, runtime, {
        fetch: async (declared) => {
          const tree = await inputs.fetch(declared);
          // What an earlier evaluation used was of another tree.
          for (const one of modules) if (one.input === declared.name && one.root !== inputs.root(one.input)) demanded.set(moduleKey(one.input, one.path), one);
          return tree;
        },
        root: inputs.root,
        demand: (input, path) => demanded.set(moduleKey(input, path), checkInputModule(input, path, inputs.root(input))),
      });
      let bundle: Bundle;
      let reply: IsolateReply;
      try {
        bundle = await bundleConfig({ file, project, exports: runtime.exports, folderExports: runtime.folderExports, inputModules: modules, reads: read });
        reply = await isolate.evaluate(request, bundle.code, host.answer);
      } finally {
        options.onReads?.([...read.values(), ...host.reads(), ...(inputs.roots().size === 0 ? [] : inputReads(inputs))]);
      }
      if (demanded.size > 0 && start < MAX_STARTS) {
        const all = new Map([...modules.map((one) => [moduleKey(one.input, one.path), one] as const), ...demanded]);
        modules = [...all.values()].map((one) => ({ ...one, root: inputs.roots().get(one.input) ?? one.root }));
        await isolate[Symbol.asyncDispose]();
        isolate = openIsolate(runtime, { limits, signal, parsedFolder });
        continue;
      }
      const context: LocateContext = { map: bundle.map, project, runtime, file, memory: options.memory, sources: inputs.sources() };
      if (!reply.ok) {
        inputs.keep();
        const { locateErrors } = await import("./locate/locate-errors.ts");
        throw joinErrors(await locateErrors(reply.errors, context));
      }
      // Which inputs there are is what is asked; what they are now is for whoever asked to find out.
      if (request.kind !== "inputs") await finishInputs(inputs, reply.inputs, context);
      const used = modules.filter(({ input }) => inputs.roots().has(input));
      if (options.cacheDir !== undefined && file !== undefined && request.kind !== "inputs" && reply.inputs.length > 0) await rememberInputModules(options.cacheDir, file, used);
      return {
        // The runtime answers a request with the result of its kind.
        result: (await withPlaces(reply.result, reply.inputs, context)) as ResultOf<R["kind"]>,
        instantiation: withRealFiles(reply.instantiation, project, inputs),
        warnings: [...bundle.warnings.map((warning) => warning.message), ...(await locateTexts(reply.warnings, context))],
        printed: reply.printed,
        reads: [...bundle.reads, ...host.reads(), ...(reply.inputs.length === 0 ? [] : inputReads(inputs))],
        inputs: reply.inputs,
        inputModules: used.map(({ root, path }) => resolve(root, path)),
        isRepeatable: host.isRepeatable() && request.kind !== "inputs",
      };
    }
  } finally {
    await isolate[Symbol.asyncDispose]();
  }
}

/** @throws TsosError for one that is not there, or leads out of its input */
function checkInputModule(input: string, path: string, root: string): InputModule {
  const file = resolve(root, path.replace(/^(\.?\/)+/, ""));
  if (!existsSync(file)) throw new TsosError({ code: "config.missing-file", message: `the input "${input}" has no file "${path}"` });
  if (!isInside(root, file)) throw new TsosError({ code: "config.outside-project", message: `"${path}" leads out of the input "${input}"` });
  return { input, path: path.replace(/^(\.?\/)+/, ""), root };
}

async function finishInputs(inputs: ProjectInputs, declared: readonly DeclaredInput[], context: LocateContext): Promise<void> {
  try {
    await inputs.finish(declared);
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
    const { locateErrors } = await import("./locate/locate-errors.ts");
    const { code, message, hint, at, related, data } = error;
    throw joinErrors(await locateErrors([{ kind: "tsos", code, message, hint, at, related, data, frames: [], stack: "" }], context));
  }
}

/** What an answer from the cache stands on: the lock file, and that the trees are still there. */
function inputReads(inputs: ProjectInputs): readonly FileRead[] {
  const trees = [...inputs.roots().values()].flatMap((root): FileRead[] => (statSync(root).isDirectory() ? [{ kind: "folder", path: root, hash: hashFolder(root) }] : [readTracked(root).read]));
  return [findTracked(inputs.lockPath) ?? readTracked(inputs.lockPath).read, ...trees];
}

/** Only a configuration with a lock file can have any. */
async function guessModules({ cacheDir, file, request }: EvaluateOptions, inputs: ProjectInputs): Promise<readonly InputModule[]> {
  if (cacheDir === undefined || file === undefined || request.kind === "inputs" || !existsSync(inputs.lockPath)) return [];
  return guessInputModules(cacheDir, file);
}

/** The isolate knows modules by their places in its scripts. */
async function locateTexts(texts: readonly string[], context: LocateContext): Promise<readonly string[]> {
  if (!texts.some((text) => text.includes("tsos:"))) return texts;
  return (await import("./locate/locate-errors.ts")).locateTexts(texts, context);
}

/** The isolate knows where modules were made by a stack. */
async function withPlaces(result: EvaluationResult, declared: readonly DeclaredInput[], context: LocateContext): Promise<EvaluationResult> {
  if (result.kind === "inputs") {
    const { locateErrors } = await import("./locate/locate-errors.ts");
    const places = declared.map(async ({ name, stack }) => {
      const [found] = await locateErrors([{ kind: "tsos", code: "input.unavailable", message: name, data: { input: { stack, path: [name], part: "inputs" } }, frames: [], stack: "" }], context);
      return [name, found?.at] as const;
    });
    return { ...result, places: Object.fromEntries(await Promise.all(places)) };
  }
  if (result.kind === "option") return { ...result, option: await locateInside(result.option, context) };
  if (!("modules" in result)) return result;
  const { createModuleLocator } = await import("./locate/locate-errors.ts");
  const locate = createModuleLocator(context);
  const modules = result.modules.map(({ label, file, stack }) => {
    const at = file !== undefined ? { file: resolve(context.project, file), line: 1, column: 1 } : stack === undefined ? undefined : locate(stack);
    // A module without a name is called by where it stands.
    return { label: label.startsWith("tsos:") && at !== undefined ? at.file : label, file, at };
  });
  return result.kind === "option-report" ? { ...result, modules, report: await locateInside(result.report, context) } : { ...result, modules };
}

/** The same value; texts in it that name modules, such as warnings and assertions, with their places. */
async function locateInside<T>(value: T, context: LocateContext): Promise<T> {
  const texts = new Set<string>();
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === "string" && /tsos:\w+:\d+:\d+/.test(inner)) texts.add(inner);
    return inner;
  });
  if (texts.size === 0) return value;
  const named = [...texts];
  const located = new Map((await locateTexts(named, context)).map((one, i) => [named[i]!, one]));
  // A copy of itself, with other texts.
  return JSON.parse(text, (_key, inner: unknown) => (typeof inner === "string" ? (located.get(inner) ?? inner) : inner)) as T;
}

/** The isolate knows files by their path in the project, or in an input. */
function withRealFiles(instantiation: Instantiation, project: string, inputs: ProjectInputs): Instantiation {
  const sources = instantiation.sources.map((source): InstantiatedSource => {
    if (source.kind !== "path") return source;
    const { input, excluded, ...rest } = source;
    const root = input === undefined ? project : inputs.root(input);
    return { ...rest, file: resolve(root, source.file), ...(excluded === undefined ? {} : { excluded: excluded.map((path) => resolve(root, path)) }) };
  });
  return { ...instantiation, sources };
}
