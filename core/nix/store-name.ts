import type { ByteString } from "../util/bytes.ts";

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
