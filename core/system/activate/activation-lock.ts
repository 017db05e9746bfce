import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export type ActivationLockOptions = { readonly report: (line: string) => void; readonly signal?: AbortSignal | undefined };

/**
 * Keeps other activations of the same root away for as long as this process lives, and waits for one that is under
 * way: it may be one whose caller was killed, and it ends by itself. The lock is the name of a socket without a
 * file, so the kernel takes it back however the process ends, and each machine has names of its own.
 *
 * @throws the signal's reason
 */
export async function lockActivation(root: string, { report, signal }: ActivationLockOptions): Promise<Disposable> {
  const name = `\0tsos-activation:${root}`;
  let server = await tryListen(name);
  if (server === undefined) report("waiting for another switch of this machine to end");
  while (server === undefined) {
    await sleep(100, undefined, { signal });
    server = await tryListen(name);
  }
  server.unref();
  const held = server;
  return { [Symbol.dispose]: () => void held.close() };
}

async function tryListen(name: string): Promise<Server | undefined> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}
