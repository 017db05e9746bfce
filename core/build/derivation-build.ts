import type { Derivation } from "../derivation/derivation.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { BuilderGuard } from "./builder-guard.ts";

export const BUILTIN_PREFIX = "builtin:";

/** One derivation, all its inputs valid, its outputs' locks held. */
export type DerivationBuild = {
  readonly path: StorePath;
  readonly derivation: Derivation;
  /** What the builder is told (`toldOutputPaths`). */
  readonly outputPaths: ReadonlyMap<string, StorePath>;
  /** What floating outputs turned out to be before, where that is to be compared. */
  readonly realised?: ReadonlyMap<string, StorePath> | undefined;
  /** The outputs of input derivations that it uses. */
  readonly inputOutputs: readonly StorePath[];
  /** Its outputs are valid: build again beside them and compare. */
  readonly check: boolean;
  readonly signal: AbortSignal;
  /** Of the run that this build is part of. */
  readonly guard: BuilderGuard;
  /** All that it asks for is there, and its builder is run. */
  onStart(): void;
  /** The builder has ended; what is left to do (hashing, registering) takes no builder's place. */
  onBuilderEnd(): void;
  /** Takes what may be done later, when others do not wait for it. */
  defer(cleanUp: () => Promise<void>): void;
  onLine(line: string): void;
  onProgress(done: number, total?: number): void;
};

/** How a build ended that did not end well; beside its cause. */
export type BuildFailure = {
  readonly cause: unknown;
  readonly logFile: string;
  readonly lastLines: readonly string[];
  /** Where the build folder was kept. */
  readonly keptFolder?: string | undefined;
};

export type BuildResult = { readonly kind: "built"; /** What the outputs are now. */ readonly outputs: ReadonlyMap<string, StorePath> } | ({ readonly kind: "failed" } & BuildFailure);
