import { libc, type NativeFunction } from "./libc.ts";

let sendfile: NativeFunction | undefined;

/**
 * Has the kernel write up to `size` bytes of one open file, from where it is read next, to another. Gives how many it
 * wrote: 0 where it cannot. Why, the caller learns by reading and writing the rest itself.
 */
export function sendFile(from: number, to: number, size: number): number {
  sendfile ??= libc().bind("intptr_t sendfile(int to, int from, void *offset, size_t size)");
  return Math.max(0, Number(sendfile(to, from, null, size)));
}
