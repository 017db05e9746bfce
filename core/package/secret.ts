import { TsosError } from "../error/tsos-error.ts";

declare const secretBrand: unique symbol;

/**
 * A value that exists on the machine only: here it is known by the file that will hold it. It cannot become
 * a string, so it cannot reach the world-readable store: its type is a kind of symbol, which the type checker
 * refuses in `${…}` and `+`, and at run time every conversion throws.
 *
 * @example
 * const password = secretFile("/var/lib/secrets/db-password");
 * `password=${password}`  // type error; at run time `package.secret-in-string`
 */
export type Secret = symbol & {
  readonly [secretBrand]: true;
  readonly kind: "secret";
  /** An absolute path on the machine, outside the store. */
  readonly file: string;
};

class SecretValue {
  readonly kind = "secret";
  readonly file: string;

  constructor(file: string) {
    this.file = file;
    Object.freeze(this);
  }

  [Symbol.toPrimitive](): never {
    throw this.#refusal();
  }

  toString(): never {
    throw this.#refusal();
  }

  toJSON(): never {
    throw this.#refusal();
  }

  #refusal(): TsosError {
    return new TsosError({
      code: "package.secret-in-string",
      message: `the secret in "${this.file}" cannot become a string: it would be readable in the store`,
      hint: "pass the secret itself to an option of type secret, or give the program the path of its file",
      data: { file: this.file },
    });
  }
}

/**
 * The secret that stands in `file` on the machine.
 * @throws TsosError `package.bad-secret-file` unless `file` is an absolute path outside the store.
 */
export function secretFile(file: string): Secret {
  if (!file.startsWith("/") || file.startsWith("/nix/store/")) {
    throw new TsosError({
      code: "package.bad-secret-file",
      message: `a secret's file must be an absolute path outside the store, got "${file}"`,
      data: { file },
    });
  }
  // The declared type is a symbol for the type checker's sake alone: see `Secret`.
  return new SecretValue(file) as unknown as Secret;
}

export function isSecret(value: unknown): value is Secret {
  return value instanceof SecretValue;
}
