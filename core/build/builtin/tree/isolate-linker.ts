import { readFileSync, writeFileSync } from "node:fs";
import { TsosError } from "../../../error/tsos-error.ts";
import { fromByteString } from "../../../util/bytes.ts";
import type { ByteString } from "../../../util/bytes.ts";
import { toFsPath } from "../../../fetch/archive/tree-path.ts";

/**
 * Takes the machine's libraries from the dynamic linker's search: its cache and its default folders. Same
 * lengths, so nothing else of the file moves.
 */
export function isolateLinker(path: ByteString): void {
  const bytes = readFileSync(toFsPath(path));
  if (!bytes.includes(CACHE)) {
    throw new TsosError({ code: "patch.unknown-linker", message: `the dynamic linker "${fromByteString(path)}" does not name its cache where one is expected` });
  }
  const replace = (text: string, by: string): void => {
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) bytes.write(by, at, "latin1");
  };
  replace(CACHE, "/nix/store/.none\0");
  replace("/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0", "/nix/store/.none/.lib/\0/nix/store/.none/.usr/lib/\0/nix/\0/nix/.no/\0");
  writeFileSync(toFsPath(path), bytes);
}

const CACHE = "/etc/ld.so.cache\0";
