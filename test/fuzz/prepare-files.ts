import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The small tree that file builtins are tried on. */
export function prepareFiles(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "folder", "deep"), { recursive: true });
  writeFileSync(join(folder, "one"), "1 + 1");
  writeFileSync(join(folder, "two"), "x: { inherit x; }\n");
  writeFileSync(join(folder, "empty"), "");
  writeFileSync(join(folder, "nul"), "a\0b");
  writeFileSync(join(folder, "bytes"), Buffer.from([0xff, 0xc3, 0xa9, 0x80, 0x0a]));
  writeFileSync(join(folder, "folder", "default.nix"), "{ a ? 1 }: a\n");
  writeFileSync(join(folder, "folder", "three"), "[ 3 ]");
  writeFileSync(join(folder, "folder", "deep", "run"), "#!/bin/sh\n");
  chmodSync(join(folder, "folder", "deep", "run"), 0o755);
  symlinkSync("one", join(folder, "link"));
  symlinkSync("folder", join(folder, "folder-link"));
  symlinkSync("nowhere", join(folder, "dangling"));
  symlinkSync("loop", join(folder, "loop"));
}
