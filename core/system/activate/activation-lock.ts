import { createServer } from "node:net";
import { TsosError } from "../../error/tsos-error.ts";

/**
 * Keeps other activations of the same root away for as long as this process lives. The name of a socket without a
 * file: the kernel takes it back however the process ends, and each machine has names of its own.
 *
 * @throws TsosError `activate.busy`
 */
export async function lockActivation(root: string): Promise<Disposable> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === "EADDRINUSE"
          ? new TsosError({ code: "activate.busy", message: "another switch of this machine is under way", hint: "wait until it has ended", cause })
          : cause,
      );
    });
    server.listen(`\0tsos-activation:${root}`, () => resolve());
  });
  server.unref();
  return { [Symbol.dispose]: () => void server.close() };
}
