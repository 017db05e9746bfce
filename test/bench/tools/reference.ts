import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { hasProgram } from "../../core/store/has-program.ts";
import { GOLDEN_DIR } from "../../golden/golden-dir.ts";
import { timeProcess, type Time } from "./whole-process.ts";

/** A program of the reference implementation, with paths below the benchmark's folder. */
export type Reference = Disposable & { time(program: string, args: readonly string[], options?: ReferenceOptions): Time };

/** `home`: where it keeps what it remembers; default one for all. */
export type ReferenceOptions = { readonly input?: string | undefined; readonly home?: string | undefined };

const TOOL = resolve(GOLDEN_DIR, "../tools/reference-nix.sh");

/**
 * The reference as `reference-nix.sh` installed it, which sees `folder` as another; else what is on PATH; undefined where
 * there is none. Its own shell script is not timed.
 */
export function findReference(folder: string): Reference | undefined {
  const root = existsSync(TOOL) ? spawnSync(TOOL, ["root"], { encoding: "utf8" }).stdout.trim() : "";
  if (root !== "" && existsSync(join(root, "usr/bin/nix"))) {
    const name = basename(folder);
    spawnSync(TOOL, ["mount", folder, name]);
    const place = join(root, "ref", name);
    const shown = (word: string): string => word.replaceAll(folder, `/ref/${name}`);
    return {
      time: (program, args, { input, home = "/tmp" } = {}) => timeProcess("chroot", [root, "/usr/bin/env", "-i", `HOME=${shown(home)}`, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", program, ...args.map(shown)], { input }),
      [Symbol.dispose]() {
        if (readFileSync("/proc/self/mountinfo", "utf8").includes(` ${place} `)) spawnSync("umount", [place]);
        rmdirSync(place);
      },
    };
  }
  if (!hasProgram("nix-store")) return undefined;
  return { time: (program, args, { input, home } = {}) => timeProcess(program, args, { input, env: home === undefined ? process.env : { ...process.env, HOME: home, XDG_CACHE_HOME: home } }), [Symbol.dispose]() {} };
}
