import { createReadStream } from "node:fs";
import { copyFile, mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import type { CacheTransport } from "./cache-transport.ts";

/** A cache in a folder of this machine, `file:///srv/cache`. */
export function createFileTransport(folder: string): CacheTransport {
  const url = `file://${folder}`;
  const place = (path: string): string => join(folder, path);
  const unreachable = (cause: unknown): TsosError =>
    new TsosError({ code: "cache.unreachable", message: `cannot use the cache "${url}": ${cause instanceof Error ? cause.message : String(cause)}`, data: { url }, cause });
  return {
    url,
    async read(path, { signal, offset = 0 }) {
      let size: number;
      try {
        const found = await stat(place(path));
        if (!found.isFile()) return undefined;
        size = found.size;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw unreachable(error);
      }
      return { size: size - offset, body: createReadStream(place(path), { start: offset, ...(signal === undefined ? {} : { signal }) }) };
    },
    async readWhole(path, { limit }) {
      try {
        const handle = await open(place(path), "r");
        try {
          const found = await handle.stat();
          if (!found.isFile()) return undefined;
          if (found.size > limit) throw new TsosError({ code: "fetch.too-long", message: `"${place(path)}" is longer than ${limit} bytes` });
          return await handle.readFile();
        } finally {
          await handle.close();
        }
      } catch (error) {
        if (isMissing(error)) return undefined;
        if (error instanceof TsosError) throw error;
        throw unreachable(error);
      }
    },
    async exists(path) {
      try {
        return (await stat(place(path))).isFile();
      } catch (error) {
        if (isMissing(error)) return false;
        throw unreachable(error);
      }
    },
    async write(path, contents) {
      const target = place(path);
      const temporary = `${target}.tmp-${process.pid}-${randomBytes(4).toString("hex")}`;
      try {
        await mkdir(dirname(target), { recursive: true });
        if (contents instanceof Uint8Array) await writeFile(temporary, contents, { flag: "wx" });
        else await copyFile(contents.file, temporary);
        const handle = await open(temporary, "r");
        try {
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true });
        throw unreachable(error);
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
