import type { StorePath } from "../store-path/store-path.ts";

/** Paths on their way into the queue of registrations: who refers to one must come after it. */
export class Announcements {
  readonly #announced = new Map<StorePath, Promise<void>>();

  /** Whether something is on its way. */
  get areAny(): boolean {
    return this.#announced.size > 0;
  }

  /** Says that `path` is on its way; who refers to it waits (`after`) until it is in the queue, or will not be. */
  announce(path: StorePath): { after(references: readonly StorePath[]): Promise<void>; end(): void } {
    let end = (): void => {};
    const announced = new Promise<void>((resolve) => (end = resolve));
    if (!this.#announced.has(path)) this.#announced.set(path, announced);
    return {
      after: async (references) => {
        for (const reference of references) if (reference !== path) await this.#announced.get(reference);
      },
      end: () => {
        end();
        if (this.#announced.get(path) === announced) this.#announced.delete(path);
      },
    };
  }
}
