import { TsosError } from "../error/tsos-error.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import { NO_POSITION, type Slot } from "../nix/value.ts";
import { toByteString } from "../util/bytes.ts";

/** An assertion of the modules that does not hold, and where its message is written; no place for one that TypeScript makes. */
export type FailedAssertion = { readonly message: string; readonly at: { readonly file: string; readonly line: number; readonly column: number } | null };

const FAILED = `config: map (one: { inherit (one) message; at = builtins.unsafeGetAttrPos "message" one; }) (builtins.filter (one: !one.assertion) config.assertions)`;

/** The module system throws the messages of failed assertions as one text: here each is told with its place, as `data.assertions`. */
export function tellFailedAssertions(e: Evaluator, toTypeScript: (slot: Slot) => unknown, config: Slot, error: unknown): unknown {
  if (!(error instanceof TsosError) || error.code !== "nix.evaluation" || !/^\s*Failed assertions:\n/.test(error.message)) return error;
  let assertions: readonly FailedAssertion[];
  try {
    const failed = toTypeScript(e.lazy(() => e.call(e.force(e.load(toByteString(FAILED), toByteString("«assertions»"), "/")), [config], NO_POSITION))) as readonly FailedAssertion[];
    assertions = Array.from(failed, ({ message, at }) => ({ message, at: at === null ? null : { file: at.file, line: at.line, column: at.column } }));
  } catch (other) {
    // What the modules threw is told all the same.
    if (other instanceof TsosError) return error;
    throw other;
  }
  if (assertions.length === 0) return error;
  const { code, message, hint, at, related, data, cause } = error;
  const told = new TsosError({ code, message, hint, at, related, data: { ...data, assertions }, cause });
  if (error.stack !== undefined) told.stack = error.stack;
  return told;
}
