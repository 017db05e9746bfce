import { createRequire } from "node:module";

/** Takes and gives what its C prototype says. `async` calls it in a thread, whose errno nobody can read. */
export type NativeFunction = {
  (...args: unknown[]): unknown;
  async(...args: unknown[]): void;
};

type Libc = {
  /** Binds a function by its C prototype. */
  bind(prototype: string): NativeFunction;
  /** The string that the first field of the structure at `pointer` points to; undefined for none. */
  firstString(pointer: unknown): string | undefined;
  /** Why the last call failed. */
  errno(): number;
  /** The error of the last call that failed, as Node would throw it. */
  error(syscall: string, subject?: string): Error;
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
    firstString: (pointer) => (pointer === null ? undefined : (koffi.decode(pointer, "char *") as string)),
    errno: () => koffi.errno(),
    error(syscall, subject) {
      const errno = koffi.errno();
      const code = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? `E${errno}`;
      const what = subject === undefined ? syscall : `${syscall} of "${subject}"`;
      return Object.assign(new Error(`${code}: ${what} failed`), { code, errno: -errno, syscall });
    },
  };
}
