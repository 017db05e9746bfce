import { fstatSync } from "node:fs";
import { dumpPath } from "../../core/nar/dump-path.ts";
import { sendFile } from "../../core/util/send-file.ts";

/**
 * Writes the archive of `path` to standard output, where the kernel moves the contents of large files by itself. What
 * it cannot (a terminal, a pipe that is full) goes the usual way.
 */
export async function dumpToOutput(path: string, signal?: AbortSignal): Promise<void> {
  const { fd } = process.stdout;
  const send = process.stdout.isTTY || fstatSync(fd).isSocket() ? undefined : (from: number, size: number) => sendFile(from, fd, size);
  for await (const chunk of dumpPath(path, { signal, lend: true, send })) {
    if (chunk.length === 0) continue;
    // The chunk is lent, so it is written before the next is asked for.
    await new Promise<void>((resolve, reject) => void process.stdout.write(chunk, (error) => (error ? reject(error) : resolve())));
  }
}
