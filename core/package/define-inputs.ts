import { TsosError } from "../error/tsos-error.ts";
import type { Input, InputLike } from "./input.ts";

/**
 * Names the sources outside of the project that a configuration uses. They are locked in `tsos.lock`.
 *
 * @example
 * const inputs = defineInputs({ common: github("me/common") });
 * export default defineSystem({ inputs, imports: [inputs.common.module("modules/users.ts")] });
 */
export function defineInputs<const T extends Readonly<Record<string, InputLike>>>(_specs: T): { readonly [K in keyof T]: Input } {
  throw new TsosError({ code: "package.no-project", message: `"defineInputs" works only in a configuration that tsos evaluates`, hint: "tsos eval" });
}
