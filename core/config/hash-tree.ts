import { formatHash } from "../hash/hash.ts";
import { narHashOfPath } from "../nar/dump-path.ts";

/** `sha256:` and base-16: the NAR hash of a file or folder. */
export async function hashTree(path: string): Promise<string> {
  return formatHash((await narHashOfPath(path)).hash, "base16", true);
}
