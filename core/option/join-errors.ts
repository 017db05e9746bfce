import { TsosError } from "../error/tsos-error.ts";

/** What is kept of an error that another carries. */
type Carried = Pick<TsosError, "code" | "message" | "hint" | "at" | "related" | "data" | "stack" | "cause">;

/** Several errors as the first, which carries the others, and what each of them carried. */
export function joinErrors(errors: readonly TsosError[]): TsosError {
  if (errors.length === 1) return errors[0]!;
  const [first, ...others] = errors.flatMap(separate);
  const joined = new TsosError({ ...first!, data: { ...first!.data, others } });
  // Where it was thrown is where the first was.
  if (first!.stack !== undefined) joined.stack = first!.stack;
  return joined;
}

/** The same error, and those that it carries, each with words before its message. */
export function prefixErrors(error: TsosError, prefix: string): TsosError {
  return joinErrors(separate(error).map((one) => {
    const prefixed = new TsosError({ ...one, message: `${prefix}${one.message}` });
    if (one.stack !== undefined) prefixed.stack = one.stack;
    return prefixed;
  }));
}

/** The messages of an error and of those that it carries. */
export function messagesOf(error: TsosError): readonly string[] {
  return separate(error).map(({ message }) => message);
}

function separate(error: TsosError): readonly Carried[] {
  const { code, message, hint, at, related, stack, cause } = error;
  // Made above.
  const { others, ...data } = error.data as { readonly others?: readonly Carried[] };
  return [{ code, message, hint, at, related, data, stack, cause }, ...(others ?? [])];
}

/** One value with so many errors is wrong as a whole. */
const MAX_KEPT = 50;

/**
 * Keeps what was thrown for one part of a value, so that the other parts are looked at, too.
 * @throws what is no mistake in the value, and the errors when there are many
 */
export function keepError(kept: readonly TsosError[] | undefined, error: unknown): readonly TsosError[] {
  if (!(error instanceof TsosError) || error.code === "option.too-deep") throw error;
  const all = kept === undefined ? [error] : [...kept, error];
  if (all.length >= MAX_KEPT) throw joinErrors(all);
  return all;
}

const parts = new WeakMap<TsosError, { readonly value: unknown }>();

/** An error of some names of a set, with what the others are: what one of them reads of the set itself, it reads there. */
export function withPart(error: TsosError, value: unknown): TsosError {
  parts.set(error, { value });
  return error;
}

export function partOf(error: unknown): { readonly value: unknown } | undefined {
  return error instanceof TsosError ? parts.get(error) : undefined;
}
