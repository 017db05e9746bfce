import * as z from "zod/mini";
import { isSecretValue } from "../foreign-types.ts";
import type { SecretValue } from "../foreign-types.ts";
import { createOptionType } from "../option-type.ts";
import { mergeEqual } from "./merge-equal.ts";

/** A secret, known by the file on the machine that holds it; it cannot become a string. */
export const secret = createOptionType<SecretValue>({
  name: "secret",
  description: "secret",
  check: isSecretValue,
  merge: mergeEqual,
  schema: () => z.custom<SecretValue>(isSecretValue),
  printType: "Secret",
});
