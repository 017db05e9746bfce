import { defineHelper, type Package } from "../../core/index.ts";
import { sourceSeed } from "../seeds/seeds.ts";

/** The released source of a package of the lock of seeds. */
export const fetchSource = defineHelper(({ pkgs }) => (name: string): Package => {
  const { url, sha256, size } = sourceSeed(name);
  return pkgs.fetchurl({ url, hash: `sha256:${sha256}`, size });
});
