import { getSeed } from "../seeds/seeds.ts";

/**
 * The version that the package's own authors gave it, out of Debian's: `1:2.47.3-0+deb13u1` is `2.47.3`.
 * @throws RangeError when the lock has no such seed.
 */
export function seedVersion(name: string): string {
  return getSeed(name)
    .version.replace(/^\d+:/, "")
    .replace(/-[^-]*$/, "")
    .replace(/[+~](dfsg|ds|really|git|deb).*$/, "");
}
