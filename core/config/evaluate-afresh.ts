import { join, resolve } from "node:path";
import type { Instantiation } from "../derivation/instantiation.ts";
import { bundleConfig, type Bundle } from "./bundle.ts";
import { joinErrors } from "./config-errors.ts";
import type { EvaluateOptions, Evaluation, WatchedEvaluation } from "./evaluate.ts";
import type { FileRead } from "./file-read.ts";
import { createHostCalls } from "./host-calls.ts";
import { openIsolate } from "./isolate.ts";
import type { LocateContext } from "./locate-errors.ts";
import type { EvaluationRequest, EvaluationResult, IsolateReply, ResultOf } from "./protocol.ts";

export type FreshEvaluation<K extends EvaluationRequest["kind"]> = Omit<Evaluation<K>, "cached"> & {
  /** Whether `reads` tells all that the outcome depends on. */
  readonly isRepeatable: boolean;
};

/** Bundles and evaluates, with nothing remembered. */
export async function evaluateAfresh<R extends EvaluationRequest>(options: EvaluateOptions<R> & WatchedEvaluation & { readonly project: string }): Promise<FreshEvaluation<R["kind"]>> {
  const { file, project, runtime, request, signal } = options;
  // The thread loads the runtime while the bundle is made.
  await using isolate = options.isolate ?? openIsolate(runtime, { limits: options.limits, signal });
  const read = new Map<string, FileRead>();
  const host = createHostCalls(project, runtime);
  let bundle: Bundle;
  let reply: IsolateReply;
  try {
    bundle = await bundleConfig({ file, project, exports: runtime.exports, folderExports: runtime.folderExports, reads: read });
    reply = await isolate.evaluate(request, bundle.code, host.answer);
  } finally {
    options.onReads?.([...read.values(), ...host.reads()]);
  }
  if (!reply.ok) {
    const { locateErrors } = await import("./locate-errors.ts");
    throw joinErrors(await locateErrors(reply.errors, { map: bundle.map, project, runtime, file }));
  }
  return {
    // The runtime answers a request with the result of its kind.
    result: (await withPlaces(reply.result, { map: bundle.map, project, runtime, file })) as ResultOf<R["kind"]>,
    instantiation: withRealFiles(reply.instantiation, project),
    warnings: [...bundle.warnings.map((warning) => warning.message), ...(await locateTexts(reply.warnings, { map: bundle.map, project, runtime, file }))],
    printed: reply.printed,
    reads: [...bundle.reads, ...host.reads()],
    isRepeatable: host.isRepeatable(),
  };
}

/** The isolate knows modules by their places in its scripts. */
async function locateTexts(texts: readonly string[], context: LocateContext): Promise<readonly string[]> {
  if (!texts.some((text) => text.includes("tsos:"))) return texts;
  return (await import("./locate-errors.ts")).locateTexts(texts, context);
}

/** The isolate knows where modules were made by a stack. */
async function withPlaces(result: EvaluationResult, context: LocateContext): Promise<EvaluationResult> {
  if (!("modules" in result)) return result;
  const { createModuleLocator } = await import("./locate-errors.ts");
  const locate = createModuleLocator(context);
  const modules = result.modules.map(({ label, file, stack }) => {
    const at = file !== undefined ? { file: resolve(context.project, file), line: 1, column: 1 } : stack === undefined ? undefined : locate(stack);
    // A module without a name is called by where it stands.
    return { label: label.startsWith("tsos:") && at !== undefined ? at.file : label, file, at };
  });
  return { ...result, modules };
}

/** The isolate knows files by their path in the project. */
function withRealFiles(instantiation: Instantiation, project: string): Instantiation {
  return { ...instantiation, sources: instantiation.sources.map((source) => (source.kind === "path" ? { ...source, file: join(project, source.file) } : source)) };
}
