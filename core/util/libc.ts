import { createRequire } from "node:module";

/** Takes and gives what its C prototype says. */
export type NativeFunction = (...args: unknown[]) => unknown;

type Libc = {
  /** Binds a function by its C prototype. */
  bind(prototype: string): NativeFunction;
  /** The error of the last call that failed, as Node would throw it. */
  error(syscall: string): Error;
};

let loaded: Libc | undefined;

/** The C library of this process; loaded at the first use, since the bridge to it takes 10 ms. */
export function libc(): Libc {
  return (loaded ??= load());
}

function load(): Libc {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const library = koffi.load(null);
  return {
    bind: (prototype) => library.func(prototype),
    error(syscall) {
      const errno = koffi.errno();
      const code = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `E${errno}`;
      return Object.assign(new Error(`${code}: ${syscall} failed`), { code, errno: -errno, syscall });
    },
  };
}
