import type { SourcePosition } from "./source-position.ts";

/** A further place that belongs to an error, and what it has to do with it, such as `also defined here`. */
export type RelatedPosition = SourcePosition & { readonly note: string };

export type TsosErrorInit = {
  /** Stable, dotted, lower-case, the folder first: `nar.truncated`. */
  readonly code: string;
  /** Lower-case, the offending value in quotes, what was expected. */
  readonly message: string;
  /** How to mend it, where that is known. */
  readonly hint?: string | undefined;
  readonly at?: SourcePosition | undefined;
  readonly related?: readonly RelatedPosition[] | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
};

/**
 * What a user's input, files, network or machine made fail. A bug in tsos is never a `TsosError`.
 *
 * @example
 * throw new TsosError({ code: "nar.truncated", message: `the archive ends after ${n} bytes`, data: { offset: n } });
 */
export class TsosError extends Error {
  override readonly name = "TsosError";
  readonly code: string;
  readonly hint: string | undefined;
  readonly at: SourcePosition | undefined;
  readonly related: readonly RelatedPosition[];
  readonly data: Readonly<Record<string, unknown>>;

  constructor(init: TsosErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.hint = init.hint;
    this.at = init.at;
    this.related = init.related ?? [];
    this.data = init.data ?? {};
  }
}
