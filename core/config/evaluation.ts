import type { Instantiation } from "../derivation/instantiation.ts";
import type { DeclaredInput } from "../option/declared-input.ts";
import type { ProgressListener } from "../util/progress.ts";
import type { FileRead } from "./file-read.ts";
import type { Isolate } from "./isolate.ts";
import type { LocateMemory } from "./locate/script-places.ts";
import type { IsolateLimits } from "./isolate-limits.ts";
import type { InputSettings } from "./project-inputs.ts";
import type { EvaluationRequest, ResultOf } from "./protocol.ts";
import type { RuntimeFolder } from "./runtime-folder.ts";

export type EvaluateOptions<R extends EvaluationRequest = EvaluationRequest> = {
  /** The configuration; undefined for an evaluation of tsos's own packages only. */
  readonly file: string | undefined;
  readonly request: R;
  readonly runtime: RuntimeFolder;
  /** Where evaluations are remembered; undefined to remember none. */
  readonly cacheDir?: string | undefined;
  /** Where parsed files of the Nix language are kept; undefined to keep none. */
  readonly parsedFolder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ProgressListener | undefined;
  /** What is not set is as the configuration needs it: one with inputs needs more. */
  readonly limits?: Partial<IsolateLimits> | undefined;
  /** How inputs are fetched and locked; without it only what is locked and here can be used. */
  readonly inputs?: InputSettings | undefined;
};

/** What watching needs of an evaluation besides its result. */
export type WatchedEvaluation = {
  /** One that has loaded the runtime already; it is used up. */
  readonly isolate?: Isolate | undefined;
  /** What locating errors leaves to the next time. */
  readonly memory?: LocateMemory | undefined;
  /** Told what was read, also where the evaluation fails. */
  readonly onReads?: ((reads: readonly FileRead[]) => void) | undefined;
};

/** What an evaluation gives, whether it ran or was remembered. */
export type Evaluation<K extends EvaluationRequest["kind"] = EvaluationRequest["kind"]> = {
  readonly result: ResultOf<K>;
  readonly instantiation: Instantiation;
  readonly warnings: readonly string[];
  /** What the configuration wrote with `console.log`. */
  readonly printed: readonly string[];
  /** Everything it looked at. */
  readonly reads: readonly FileRead[];
  /** The inputs that it declares. */
  readonly inputs: readonly DeclaredInput[];
  /** Modules of inputs that belong to it: files whose types count as those of the project. */
  readonly inputModules: readonly string[];
  readonly cached: boolean;
};
