import { defineHelper, type Package } from "../../core/index.ts";

/** What tsos itself runs where the machine has none: programs by their path in the package. */
export type TsosTools = {
  /** `bin/bwrap` */
  readonly bubblewrap: Package;
  /** `bin/systemd-nspawn` */
  readonly nspawn: Package;
  /** `bin/nsenter` */
  readonly nsenter: Package;
};

/** The run-time tools of tsos as packages. */
export const tsosTools = defineHelper(({ pkgs }): TsosTools => ({ bubblewrap: pkgs.bubblewrap, nspawn: pkgs["systemd-nspawn"], nsenter: pkgs["util-linux"] }));
