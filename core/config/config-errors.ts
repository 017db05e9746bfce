import { TsosError } from "../error/tsos-error.ts";

/**
 * Several things wrong with a configuration, all of which are worth showing at once. Its own message is the
 * first one's.
 */
export class ConfigErrors extends TsosError {
  readonly errors: readonly TsosError[];

  constructor(errors: readonly TsosError[]) {
    const [first] = errors;
    super({ code: "config.errors", message: first === undefined ? "the configuration is wrong" : first.message, at: first?.at });
    this.errors = errors;
  }
}

/** One error as it is, several as one. */
export function joinErrors(errors: readonly TsosError[]): TsosError {
  const [first] = errors;
  return first !== undefined && errors.length === 1 ? first : new ConfigErrors(errors);
}

/** The errors that one stands for. */
export function separateErrors(error: TsosError): readonly TsosError[] {
  return error instanceof ConfigErrors ? error.errors : [error];
}
