import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { TsosError } from "../error/tsos-error.ts";
import { ConfigErrors } from "./config-errors.ts";
import { evaluateAfresh, type FreshEvaluation } from "./evaluate-afresh.ts";
import type { FileRead } from "./file-read.ts";
import { findProject } from "./find-project.ts";
import { chooseLimits } from "./choose-limits.ts";
import type { IsolateLimits } from "./isolate-limits.ts";
import { openIsolate, type Isolate } from "./isolate.ts";
import type { LocateMemory } from "./locate/script-places.ts";
import type { DeclaredInput } from "../option/declared-input.ts";
import type { InputSettings } from "./project-inputs.ts";
import type { EvaluationRequest } from "./protocol.ts";
import type { RuntimeFolder } from "./runtime-folder.ts";
import { openTypeChecker, type TypeChecker } from "./type-checker.ts";
import { watchReads } from "./watch-reads.ts";

export type WatchOptions = {
  readonly file: string;
  readonly request: Extract<EvaluationRequest, { readonly kind: "system" | "shell" }>;
  readonly runtime: RuntimeFolder;
  readonly installation: string;
  /** Whether types are checked, too. */
  readonly check: boolean;
  /** Where parsed files of the Nix language are kept; undefined to keep none. */
  readonly parsedFolder?: string | undefined;
  readonly inputs?: InputSettings | undefined;
  readonly limits?: Partial<IsolateLimits> | undefined;
  /** Says to the compiler which inputs there are; gives whether it did not know. */
  readonly declareInputs?: ((declared: readonly DeclaredInput[]) => boolean) | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: WatchEvent) => void | Promise<void>;
};

export type WatchEvent =
  /** A round begins; `changed` are the files, none in the first round. */
  | { readonly kind: "round"; readonly changed: readonly string[] }
  /** One of the two found errors; both may, one after the other. */
  | { readonly kind: "errors"; readonly by: "evaluation" | "types"; readonly errors: readonly TsosError[]; readonly milliseconds: number }
  /** Both are done; whether nothing is wrong. */
  | { readonly kind: "done"; readonly isSound: boolean; readonly warnings: readonly string[]; readonly milliseconds: number };

/**
 * Evaluates and type-checks a configuration, and again whenever something that this read changes, or appears. A
 * thread with the compiler's last program and an isolate that has run the configuration wait for the next change.
 * @throws the signal's reason, which is how it ends.
 */
export async function watchConfig(init: WatchOptions): Promise<never> {
  const options: WatchOptions = { ...init, request: { ...init.request, isTrial: true } };
  const { signal } = options;
  const file = existsSync(options.file) ? realpathSync(options.file) : resolve(options.file);
  const project = existsSync(dirname(file)) ? findProject(file) : process.cwd();
  await using checker = options.check ? openTypeChecker({ file, installation: options.installation }) : undefined;
  let wake: () => void = () => undefined;
  let changed: Set<string> | undefined = new Set();
  using watcher = watchReads(project, (paths) => {
    changed ??= new Set();
    for (const path of paths) changed.add(path);
    wake();
  });
  const aborted = new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
  aborted.catch(() => undefined);
  const isolates = new WarmIsolates(options, project);
  const known: KnownModules = { files: [] };
  const memory = {};
  try {
    for (;;) {
      signal.throwIfAborted();
      if (changed === undefined) await Promise.race([new Promise<void>((resolve) => (wake = resolve)), aborted]);
      await Promise.race([untilWritten([file, ...(changed ?? [])]), aborted]);
      const round = { changed: [...(changed ?? [])], isolates };
      changed = undefined;
      watcher.pause();
      const reads = await Promise.race([runRound({ ...options, file, project, checker, known, memory }, round), aborted]);
      // What an installed tsos is made of does not change.
      const isInstalled = (path: string): boolean => path.startsWith(options.installation + sep) && !path.startsWith(dirname(file) + sep);
      const missed = await watcher.set(reads.filter(({ path }) => !isInstalled(path)));
      if (missed.length > 0) {
        changed ??= new Set();
        for (const path of missed) changed.add(path);
      }
      // The engine compiles what runs often: the next round finds it compiled.
      while (changed === undefined && isolates.isCold()) {
        const evaluation = evaluateAfresh({ ...options, file, project, memory, isolate: isolates.take() }).catch((error: unknown) => isolates.noteError(error));
        await Promise.race([Promise.all([evaluation, checker?.check(known.files)]), aborted]);
      }
    }
  } finally {
    await isolates.drop();
  }
}

/** Many editors empty a file before they write it, or take the old one away before. One that stays so is meant so. */
async function untilWritten(files: readonly string[]): Promise<void> {
  for (let waited = 0; waited < MISSING_MILLISECONDS && files.some((path) => !existsSync(path)); waited += STEP) await sleep(STEP);
  for (let waited = 0; waited < EMPTY_MILLISECONDS && files.some(isEmptyFile); waited += STEP) await sleep(STEP);
}

function isEmptyFile(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size === 0;
}

/** How long a file that is emptied, or is missing, is waited for, and how often it is looked at meanwhile. */
const EMPTY_MILLISECONDS = 200;
const MISSING_MILLISECONDS = 20;
const STEP = 5;

const WARM_ROUNDS = 4;
const MAX_USES = 200;

// After these the thread is gone, or busy for ever.
const BREAKING: ReadonlySet<string> = new Set(["config.out-of-memory", "config.too-slow", "config.changed-language"]);

/** One isolate for many evaluations, as long as none of them breaks it: what it has compiled stays compiled. */
class WarmIsolates {
  readonly #options: WatchOptions;
  readonly #project: string;
  #isolate: Isolate | undefined;
  #limits: IsolateLimits | undefined;
  #uses = 0;
  /** The configuration is one that breaks isolates: it is not evaluated to no end. */
  #breaks = false;

  constructor(options: WatchOptions, project: string) {
    this.#options = options;
    this.#project = project;
  }

  /** The isolate, which who evaluates with it does not dispose of. */
  take(): Isolate {
    const { file, limits, runtime, signal, parsedFolder } = this.#options;
    const chosen = chooseLimits(file, this.#project, limits);
    // One that is warm may be too small for the configuration of now.
    if (this.#isolate !== undefined && !isDeepStrictEqual(chosen, this.#limits)) void this.drop();
    this.#limits = chosen;
    this.#uses++;
    const isolate = (this.#isolate ??= openIsolate(runtime, { limits: chosen, signal, parsedFolder }));
    return { evaluate: (request, code, answer) => isolate.evaluate(request, code, answer), [Symbol.asyncDispose]: () => Promise.resolve() };
  }

  /** Whether another evaluation now makes the next one quicker. An isolate that served long is exchanged here. */
  isCold(): boolean {
    if (this.#uses > MAX_USES) void this.drop();
    return !this.#breaks && this.#uses < WARM_ROUNDS;
  }

  noteSuccess(): void {
    this.#breaks = false;
  }

  noteError(error: unknown): void {
    this.#breaks = error instanceof TsosError && BREAKING.has(error.code);
    if (this.#breaks) void this.drop();
  }

  async drop(): Promise<void> {
    const isolate = this.#isolate;
    this.#isolate = undefined;
    this.#uses = 0;
    await isolate?.[Symbol.asyncDispose]();
  }
}

type RoundContext = WatchOptions & { readonly project: string; readonly checker: TypeChecker | undefined; readonly known: KnownModules; readonly memory: LocateMemory };

/** The modules of inputs that the last sound evaluation used. */
type KnownModules = { files: readonly string[] };

async function runRound(context: RoundContext, { changed, isolates }: { readonly changed: readonly string[]; readonly isolates: WarmIsolates }): Promise<readonly FileRead[]> {
  const { onEvent, checker, known } = context;
  const began = performance.now();
  const reads: FileRead[] = [];
  let warnings: readonly string[] = [];
  let isSound = true;
  await onEvent({ kind: "round", changed });
  // What one of them finds is told at once.
  const tell = async (by: "evaluation" | "types", errors: readonly TsosError[]): Promise<void> => {
    if (errors.length === 0) return;
    isSound = false;
    await onEvent({ kind: "errors", by, errors, milliseconds: performance.now() - began });
  };
  const evaluation = evaluateAfresh({ ...context, isolate: isolates.take(), onReads: (seen) => void reads.push(...seen) }).then(
    (result) => {
      isolates.noteSuccess();
      warnings = [...result.printed, ...result.warnings];
      return result;
    },
    (error: unknown) => {
      if (!(error instanceof TsosError) || error === context.signal.reason) throw error;
      isolates.noteError(error);
      return tell("evaluation", error instanceof ConfigErrors ? error.errors : [error]);
    },
  );
  const checkTypes = async (files: readonly string[], found?: Promise<Pick<FreshEvaluation<EvaluationRequest["kind"]>, "inputModules" | "inputs"> | void>): Promise<void> => {
    const reply = await checker?.check(files);
    if (reply === undefined) return;
    // With other modules of inputs there are other options: what was found without them says nothing.
    const used = reply.errors.length > 0 || files.length > 0 ? await found : undefined;
    const isNews = reply.errors.length > 0 && used !== undefined && used.inputs.length > 0 && context.declareInputs?.(used.inputs) === true;
    if (used !== undefined && (isNews || used.inputModules.join("\n") !== files.join("\n"))) {
      known.files = used.inputModules;
      return checkTypes(used.inputModules);
    }
    reads.push(...reply.reads);
    await tell("types", reply.errors.map((error) => new TsosError(error)));
  };
  await Promise.all([evaluation, checkTypes(known.files, evaluation)]);
  await onEvent({ kind: "done", isSound, warnings, milliseconds: performance.now() - began });
  return reads;
}
