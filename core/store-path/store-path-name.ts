import { TsosError } from "../error/tsos-error.ts";

/** The most characters a name may have; with its hash and a suffix of tools it then fits a file name of 255 bytes. */
export const MAX_STORE_PATH_NAME_LENGTH = 211;

const ILLEGAL = /[^0-9a-zA-Z+\-._?=]/;

/**
 * The name, when it may stand in a store path: 1 to 211 of `0-9 a-z A-Z + - . _ ? =`, and the part before its
 * first dash is neither `.` nor `..`.
 *
 * @throws TsosError `store-path.bad-name` saying which rule it breaks; `path`, which would have this name, goes with it.
 */
export function checkStorePathName(name: string, path?: string): string {
  // Nix: libstore/path.cc, checkName.
  if (name === "") throw badName(name, path, "must not be empty");
  if (name.length > MAX_STORE_PATH_NAME_LENGTH) {
    throw badName(name, path, `has ${name.length} characters, expected at most ${MAX_STORE_PATH_NAME_LENGTH}`);
  }
  if (name[0] === ".") {
    const dash = name.indexOf("-");
    const first = dash < 0 ? name : name.slice(0, dash);
    if (first === "." || first === "..") {
      throw badName(name, path, dash < 0 ? "is not a file's name" : `must not begin with "${first}-"`);
    }
  }
  const illegal = ILLEGAL.exec(name);
  if (illegal !== null) {
    throw badName(name, path, `has "${illegal[0]}" at ${illegal.index}, expected only 0-9 a-z A-Z + - . _ ? =`);
  }
  return name;
}

function badName(name: string, path: string | undefined, rule: string): TsosError {
  return new TsosError({ code: "store-path.bad-name", message: `store path name "${name}" ${rule}`, data: { name, ...(path === undefined ? {} : { path }) } });
}
