/** What becomes of a construct that is discouraged: nothing, a warning, or an error. */
export type LintLevel = "ignore" | "warn" | "fatal";

/** The settings of the reference that change what an expression means or says. What is left out has its default. */
export type NixSettings = {
  /** The experimental feature `pipe-operators`. */
  readonly pipeOperators?: boolean | undefined;
  /** `lint-url-literals` */
  readonly lintUrlLiterals?: LintLevel | undefined;
  /** `lint-short-path-literals`: those that start with neither `.` nor `/`. */
  readonly lintShortPathLiterals?: LintLevel | undefined;
  /** `lint-absolute-path-literals`: those that start with `/` or `~/`. */
  readonly lintAbsolutePathLiterals?: LintLevel | undefined;
  /** `trace-verbose`: whether `builtins.traceVerbose` says anything. */
  readonly traceVerbose?: boolean | undefined;
  /** `abort-on-warn`: whether `builtins.warn` ends the evaluation. */
  readonly abortOnWarn?: boolean | undefined;
  /** The experimental feature `parse-toml-timestamps`. */
  readonly tomlTimestamps?: boolean | undefined;
  /** The experimental feature `blake3-hashes`. */
  readonly blake3Hashes?: boolean | undefined;
  /** The experimental feature `ca-derivations`: `__contentAddressed`. */
  readonly caDerivations?: boolean | undefined;
  /** The experimental feature `impure-derivations`: `__impure`. */
  readonly impureDerivations?: boolean | undefined;
  /** The experimental feature `dynamic-derivations`: derivations that are made by derivations. */
  readonly dynamicDerivations?: boolean | undefined;
  /** The experimental feature `fetch-closure`. */
  readonly fetchClosure?: boolean | undefined;
  /** The experimental feature `git-hashing`. */
  readonly gitHashing?: boolean | undefined;
  /** `max-call-depth`, 10,000 by default. */
  readonly maxCallDepth?: number | undefined;
};
