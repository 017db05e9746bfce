import { TsosError } from "../error/tsos-error.ts";

/** Several errors as the first, which carries the others. */
export function joinErrors(errors: readonly TsosError[]): TsosError {
  const [first, ...others] = errors;
  if (others.length === 0) return first!;
  const joined = new TsosError({
    code: first!.code,
    message: first!.message,
    hint: first!.hint,
    at: first!.at,
    related: first!.related,
    data: {
      ...first!.data,
      others: others.map(({ code, message, hint, at, related, data, stack, cause }) => ({ code, message, hint, at, related, data, stack, cause })),
    },
    cause: first!.cause,
  });
  // Where it was thrown is where the first was.
  if (first!.stack !== undefined) joined.stack = first!.stack;
  return joined;
}
