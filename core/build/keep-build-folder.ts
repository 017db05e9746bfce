import { chmod, cp, mkdir, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Moves the build folder to where the user can look at it. */
export async function keepBuildFolder(folder: string, name: string): Promise<string | undefined> {
  for (let number = 0; ; number++) {
    const target = join(tmpdir(), `tsos-build-${name}-${number}`);
    try {
      await mkdir(target, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw error;
    }
    try {
      // The builder owned it and may have opened it to all, which no longer ends at the folder above.
      await chmod(folder, 0o700).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      });
      await rename(folder, target);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return undefined;
      if (code !== "EXDEV") throw error;
      await cp(folder, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    }
    return target;
  }
}
