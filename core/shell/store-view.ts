import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Tool } from "../build/tool.ts";

const STORE = "/nix/store";

export type StoreView = {
  /** The folder that holds the store. */
  readonly storeRoot: string;
  readonly bubblewrap: Tool;
  readonly folder: string;
};

/** The words that run a command on the machine as it is, but with the store at the place that its paths name. */
export function inStoreView({ storeRoot, bubblewrap, folder }: StoreView, command: readonly string[]): readonly string[] {
  return [bubblewrap.command, ...bubblewrap.args, ...namespaceArguments(storeRoot, folder), "--", ...command];
}

/** Every top folder bound, since `/nix` may not exist. */
function namespaceArguments(storeRoot: string, folder: string): readonly string[] {
  const args: string[] = ["--tmpfs", "/"];
  for (const name of readdirSync("/")) {
    const path = `/${name}`;
    if (name === "nix") continue;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() === true) args.push("--symlink", readlinkSync(path), path);
    else if (stats?.isDirectory() === true) args.push("--dev-bind", path, path);
    else if (stats?.isFile() === true) args.push("--ro-bind", path, path);
  }
  return [...args, "--ro-bind", join(storeRoot, STORE), STORE, "--chdir", folder, "--die-with-parent"];
}
