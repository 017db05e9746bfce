import { libc, type NativeFunction } from "./libc.ts";

export type Pipe = { readonly readEnd: number; readonly writeEnd: number };

const O_CLOEXEC = 0o2000000;

let pipe2: NativeFunction | undefined;

/** A pipe as the kernel makes it; Node itself only gives socket pairs. Neither end outlives an exec. */
export function openPipe(): Pipe {
  pipe2 ??= libc().bind("int pipe2(_Out_ int *descriptors, int flags)");
  const descriptors = [0, 0];
  if (pipe2(descriptors, O_CLOEXEC) !== 0) throw libc().error("pipe2");
  return { readEnd: descriptors[0]!, writeEnd: descriptors[1]! };
}
