import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { removeTree } from "../../../core/store/file-tree.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import type { LocalStore } from "../../../core/store/store.ts";

/** A folder that is gone after the test. */
export function temporaryFolder(t: TestContext, before: () => Promise<void> = async () => {}): string {
  const folder = mkdtempSync(path.join(tmpdir(), "tsos-store-"));
  t.after(async () => {
    await before();
    await removeTree(folder);
  });
  return folder;
}

/** An empty store in a folder of its own. */
export async function temporaryStore(t: TestContext): Promise<{ readonly store: LocalStore; readonly root: string; readonly folder: string }> {
  const opened: LocalStore[] = [];
  const folder = temporaryFolder(t, async () => {
    for (const store of opened) await store[Symbol.asyncDispose]();
  });
  const root = path.join(folder, "root");
  const store = await openLocalStore({ root });
  opened.push(store);
  return { store, root, folder };
}

/** Debian's `nix-store` on that store, or undefined where it is not installed. */
export function nixStore(root: string): ((...args: readonly string[]) => string) | undefined {
  try {
    execFileSync("nix-store", ["--version"], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return (...args) =>
    execFileSync("nix-store", ["--store", `local?root=${root}`, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], HOME: root } });
}
