import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, delimiter, join } from "node:path";
import { TsosError } from "../core/error/tsos-error.ts";
import { findHomePlaces, type HomePlaces } from "../core/system/switch-home.ts";
import { mayRun } from "../core/util/may-access.ts";
import type { CommandContext } from "./context.ts";
import { findConfig } from "./find-config.ts";
import { findInstallation } from "./installation.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Whether a command that changes something or lists generations means this user's home and not the machine: `--home` says
 * so, else the configuration that is named or nearest.
 */
export function meansHome(context: CommandContext, flag: boolean): boolean {
  if (flag && context.flags.root !== undefined) throw new UsageError({ code: "cli.home-and-root", message: "--home means a home of this machine, and --root another machine", hint: "give one of them" });
  if (flag || context.flags.root !== undefined) return flag;
  const file = findConfig(context, ["system", "home"]);
  return file !== undefined && basename(file) === "home.config.ts";
}

/** This user's home. */
export function ownHome(context: CommandContext): HomePlaces {
  const { username, homedir } = userInfo();
  return findHomePlaces(context.env, context.env["USER"] ?? username, context.env["HOME"] ?? homedir);
}

/** @throws TsosError `home.private-store`: links of a home lead into /nix/store itself */
export function requireSharedStore(context: CommandContext): void {
  const { storeRoot } = context.places;
  if (storeRoot === undefined) return;
  throw new TsosError({
    code: "home.private-store",
    message: `the files of a home lead into /nix/store, and this user's store is below "${storeRoot}"`,
    hint: context.flags.store === undefined ? 'let root run "tsos daemon", or give /nix to this user: sudo install -d -o $USER /nix /nix/store /nix/var /nix/var/nix' : "switch without --store",
  });
}

const COMMANDS = ["build", "collect-garbage", "copy-closure", "daemon", "hash", "instantiate", "prefetch-url", "shell", "store"] as const;

/**
 * What an activation script finds on its PATH: this user's, and where that has no Nix, its classic commands as tsos has them.
 */
export function activationEnvironment(context: CommandContext): NodeJS.ProcessEnv {
  const { env } = context;
  const path = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  if (path.some((folder) => mayRun(join(folder, "nix-env")))) return env;
  const folder = join(context.places.state, "nix-commands");
  mkdirSync(folder, { recursive: true });
  for (const name of COMMANDS) {
    const file = join(folder, `nix-${name}`);
    writeFileSync(file, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(join(findInstallation(), "bin/tsos.js"))} nix ${name} "$@"\n`);
    chmodSync(file, 0o755);
  }
  return { ...env, PATH: [...path, folder].join(delimiter) };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
