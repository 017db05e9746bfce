import { TsosError } from "../error/tsos-error.ts";
import type { ByteString } from "../util/bytes.ts";
import { NixError } from "./nix-error.ts";

const MAXIMUM_LENGTH = 211;

/** Why a store path may not have this name, in the reference's words; undefined where it may. Nix: libstore/path.cc. */
export function storeNameProblem(name: ByteString): string | undefined {
  if (name === "") return "name must not be empty";
  if (name.length > MAXIMUM_LENGTH) return `name '${name}' must be no longer than ${MAXIMUM_LENGTH} characters`;
  if (name === "." || name === "..") return `name '${name}' is not valid`;
  for (const part of [".", ".."]) if (name.startsWith(`${part}-`)) return `name '${name}' is not valid: first dash-separated component must not be '${part}'`;
  const bad = /[^0-9a-zA-Z+\-._?=]/.exec(name);
  return bad === null ? undefined : `name '${name}' contains illegal character '${bad[0]}'`;
}

/** What `make` gives; a name that no store path may have is told in the reference's words. */
export function withStoreName<T>(name: ByteString, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TsosError) || error.code !== "store-path.bad-name") throw error;
    const path = (error.data as { readonly path?: string } | undefined)?.path ?? name;
    throw new NixError("eval", `path '${path}' is not a valid store path: ${storeNameProblem(name) ?? error.message}`);
  }
}
