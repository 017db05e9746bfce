/** A number of places; who finds none free waits in line. */
export type Limiter = {
  /** @returns what frees the place again. @throws the signal's reason */
  acquire(signal?: AbortSignal): Promise<() => void>;
};

export function createLimiter(places: number): Limiter {
  let free = Math.max(1, places);
  const waiting = new Set<() => void>();

  const take = (): (() => void) => {
    free--;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      free++;
      const [next] = waiting;
      if (next !== undefined) {
        waiting.delete(next);
        next();
      }
    };
  };

  return {
    async acquire(signal) {
      signal?.throwIfAborted();
      // A newcomer may not overtake one that was woken and has not run yet, so it asks again after waking.
      while (free === 0) {
        await new Promise<void>((resolve, reject) => {
          const wake = (): void => {
            signal?.removeEventListener("abort", give);
            resolve();
          };
          const give = (): void => {
            waiting.delete(wake);
            reject(signal!.reason as Error);
          };
          waiting.add(wake);
          signal?.addEventListener("abort", give, { once: true });
        });
      }
      return take();
    },
  };
}
