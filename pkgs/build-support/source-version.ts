import { sourceSeed } from "../seeds/seeds.ts";

/**
 * The version that the authors of a source gave it, out of Debian's: `1.3.dfsg+really1.3.1` is `1.3.1`.
 * @throws RangeError when the lock has no such source.
 */
export function sourceVersion(name: string): string {
  return sourceSeed(name).version.replace(/^.*\+really/, "").replace(/[+~](dfsg|ds|git|deb|\d{8}).*$/, "");
}
