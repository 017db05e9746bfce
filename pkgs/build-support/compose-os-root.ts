import { defineHelper, type Package } from "../../core/index.ts";
import { seedRequests } from "../seeds/seed-requests.ts";
import { seedSet } from "../seeds/seeds.ts";

/**
 * The tree that a generation boots: the Debian packages of the base system and those in `names`, merged. What
 * their maintainer scripts would do is done by links here, by the toplevel's `/etc` and by systemd at boot.
 */
export const composeOsRoot = defineHelper(({ pkgs }) => (names: readonly string[] = []): Package =>
  pkgs.composeRoot({
    name: "os-root",
    // What the requests exclude is done by tsos itself, so that naming it is no mistake and has no effect.
    packages: [...new Set([...seedSet("os-root"), ...names])].filter((name) => !seedRequests.excluded.includes(name)).sort(),
    links: {
      "usr/bin/awk": "mawk",
      "usr/bin/sh": "dash",
      "usr/bin/nawk": "mawk",
      "usr/bin/which": "which.debianutils",
      "usr/bin/pager": "less",
      "usr/bin/editor": "nano",
    },
    // The machine's own are made anew; the tree itself is never written to.
    directories: ["etc", "var", "run", "proc", "sys", "dev", "tmp", "root", "home", "nix/store", "boot", "srv", "mnt", "media", "opt"],
    remove: ["usr/share/doc", "usr/share/man", "var/**", "run/**", "dev/**", "proc/**", "sys/**"],
  }),
);
